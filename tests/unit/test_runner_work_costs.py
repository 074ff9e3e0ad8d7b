"""What is known of CPU work in a run: the least time that was measured, and where it may be done."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.config.catalog import choose_option, find_strategies
from bench.model.cases import Case, Profile, Selection
from bench.model.comparison import BuiltVariant
from bench.model.work import Work
from bench.runner.work_costs import KnownWork, WorkCosts, know_work

HERE = BuiltVariant("/usr/bin/python3", ("/here",), {})
BASE = replace(HERE, import_path=("/base",))


def case_of(kind: str = "json", times: int = 5, workers: int = 20) -> Case:
    return Case("s", "requests", workers, Profile("p"), Selection("c", ("BR",)), work=Work(kind, times))


def test_least_of_all_measurements_counts_whatever_their_order() -> None:
    costs = WorkCosts()
    for measured in ([3e-7, None], [], [2e-7, 4e-7], [float("nan"), float("inf"), -1.0]):
        costs.note(case_of(), HERE, measured)
    assert costs.least(case_of(times=100), HERE) == 2e-7
    assert costs.least(case_of(times=0), HERE) is None


def test_a_clock_too_coarse_for_the_work_leaves_it_out() -> None:
    costs = WorkCosts()
    costs.note(case_of(), HERE, [0.01, 0.0])
    assert costs.least(case_of(), HERE) == 0.0


def test_other_work_other_code_and_other_machines_have_times_of_their_own() -> None:
    costs = WorkCosts()
    costs.note(case_of(), HERE, [2e-7])
    there = replace(case_of(), scheduler="tcp://10.0.0.1:8786")
    assert costs.least(case_of("decode"), HERE) is None
    assert costs.least(case_of(), BASE) is None
    assert costs.least(case_of(), replace(HERE, python="/opt/python3.14")) is None
    assert costs.least(there, HERE) is None


@pytest.mark.parametrize(
    ("name", "workers", "exclusive_share", "processors", "has_one_thread"),
    [
        ("sequential", 1, 1.0, 1, False),
        ("threadpool_map", 20, 1 / 1.038, 4, False),
        ("threadpool_map", 2, 1 / 1.002, 2, False),
        ("asyncio_gather", 20, 1 / 1.038, 4, True),
        ("asyncio_gather+uvloop", 20, 1 / 1.038, 4, True),
        ("anyio_taskgroup", 20, 1 / 1.038, 4, True),
        ("asyncio_to_thread", 20, 1 / 1.038, 4, False),
        ("asyncio_executor", 20, 1 / 1.038, 4, False),
        ("multiprocessing_threads", 20, 1 / 1.038, 4, False),
        ("asyncio_client_limit", 2, 1 / 1.002, 4, True),
        ("processpool_map", 20, 0.0, 4, False),
        ("processpool_map+spawn", 2, 0.0, 2, False),
        ("processpool_asyncio", 20, 0.0, 4, False),
        ("interpreterpool_map", 20, 0.0, 4, False),
        ("dask", 20, 0.0, 4, False),
    ],
)
def test_processors_lock_and_slots_of_shipped_strategies(
    name: str,
    workers: int,
    exclusive_share: float,
    processors: int,
    has_one_thread: bool,  # noqa: FBT001  table
) -> None:
    """On four processors; a slot cannot use two of them, and threads that wait for the lock wake up."""
    plain, _, option = name.partition("+")
    strategy = find_strategies()[plain]
    strategy = choose_option(strategy, option) if option else strategy
    case = replace(case_of(workers=workers), is_limited_by_client="connection_limit" in strategy.needs)
    found = know_work(case, strategy, 1e-7, 4, has_gil=True)
    assert found is not None
    assert found.exclusive_share == pytest.approx(exclusive_share)
    assert (found.s_per_byte, found.processors, found.has_one_thread) == (1e-7, processors, has_one_thread)
    assert found.keeps_slots is (plain != "asyncio_client_limit")
    free = know_work(case, strategy, 1e-7, 4, has_gil=False)
    assert free == replace(found, exclusive_share=0.0)
    assert know_work(case, strategy, None, 4, has_gil=True) is None


def test_nothing_is_claimed_that_a_strategy_of_the_users_could_do_otherwise(tmp_path: Path) -> None:
    """Its code may start processes, or keep a slot for the download alone."""
    own = replace(find_strategies()["threadpool_map"], file=tmp_path / "mine.py")
    assert know_work(case_of(workers=2), own, 1e-7, 4, has_gil=True) == KnownWork(
        1e-7, 4, has_one_thread=False, exclusive_share=0.0, keeps_slots=False
    )


def test_processors_of_another_cluster_are_unknown() -> None:
    there = replace(case_of(), scheduler="tcp://10.0.0.1:8786")
    found = know_work(there, find_strategies()["dask"], 1e-7, 4, has_gil=True)
    assert found == KnownWork(1e-7, None, has_one_thread=False, exclusive_share=0.0, keeps_slots=True)


@pytest.mark.parametrize(("kind", "exclusive"), [("json", 22_000), ("decode", 22_000), ("sha256", 2_000)])
def test_hash_of_a_small_flag_alone_keeps_the_lock(kind: str, exclusive: int) -> None:
    known = KnownWork(1e-6, 2, has_one_thread=False, exclusive_share=1.0, keeps_slots=True)
    found = known.of_round(case_of(kind, times=3), [2_000, 0, 20_000])
    assert found.each_s == pytest.approx((0.005994, 0.0, 0.05994))
    assert found.exclusive_s == pytest.approx(exclusive * 3e-6 * 0.999)
    assert replace(known, exclusive_share=0.0).of_round(case_of(kind), [2_000]).exclusive_s == 0.0
    loop = replace(known, has_one_thread=True, exclusive_share=0.0)
    assert loop.of_round(case_of(kind, times=3), [2_000, 20_000]).exclusive_s == pytest.approx(0.065934)
