"""The probes of a round, in the process itself and in those that it forks."""

import asyncio
import gc
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from types import ModuleType

import pytest

from bench.api import LOOP_WATCHERS, Fetch
from bench.model.cases import PROBES
from bench.system.process_probes import PROCESS_PROBES
from bench.worker.probes import Figures, RoundProbes
from bench.worker.protocol import WORKER_PROBES


def work(seconds: float) -> None:
    """Use the processor for this long."""
    until_s = time.process_time() + seconds
    while time.process_time() < until_s:
        pass


def collect(_: object) -> int:
    """Collect enough garbage to take a measurable time."""
    circles: list[list[object]] = [[] for _ in range(100_000)]
    for circle in circles:
        circle.append(circle)
    del circles
    gc.collect()
    return os.getpid()


def probed(name: str, fetches: Sequence[Fetch] = ()) -> Figures:
    """Begin and end one probe."""
    probes = RoundProbes([name])
    probes.begin()
    return probes.end(fetches)


def test_cpu_time_includes_that_of_finished_children() -> None:
    probes = RoundProbes(["cpu"])
    probes.begin()
    work(0.1)
    with ProcessPoolExecutor(1) as pool:
        pool.submit(work, 0.1).result()
    seen = probes.end([])
    assert 0.19 < seen["cpu_user_s"] + seen["cpu_system_s"] < 1.0
    assert seen["switches_voluntary"] >= 1


@pytest.mark.long
def test_garbage_collection_is_timed_in_forked_processes_too() -> None:
    """The callback is removed afterwards."""
    before = list(gc.callbacks)
    probes = RoundProbes(["gc"])
    probes.begin()
    with ProcessPoolExecutor(1) as pool:
        assert pool.submit(collect, None).result() != os.getpid()
    elsewhere = probes.end([])["gc_s"]
    probes = RoundProbes(["gc"])
    probes.begin()
    collect(None)
    here = probes.end([])["gc_s"]
    assert elsewhere > 0.0005
    assert here > 0.0005
    assert gc.callbacks == before


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_queue_wait_is_from_submission_to_start(kind: type[Executor]) -> None:
    """Three fetches in a row in one worker: they waited for 0, 50 and 100 ms."""
    original = kind.submit
    probes = RoundProbes(["queue_wait"])
    probes.begin()
    with kind(1) as pool:  # type: ignore[call-arg]
        fetches = list(pool.map(slow_fetch, ["BR", "CN", "IN"]))
    seen = probes.end(fetches)
    assert 0.045 < seen["queue_wait_s"] < 0.5
    assert kind.submit is original


def slow_fetch(country: str) -> Fetch:
    """Take 50 ms."""
    start_s = time.perf_counter()
    time.sleep(0.05)
    return Fetch(country, start_s, time.perf_counter(), 200, 10, "ok")


def test_queue_wait_needs_one_submission_per_fetch() -> None:
    assert probed("queue_wait", [slow_fetch("BR")]) == {}


def test_fetch_that_began_before_its_submission_has_no_queue_wait() -> None:
    probes = RoundProbes(["queue_wait"])
    probes.begin()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(time.sleep, 0).result()
    assert probes.end([Fetch("BR", 0.0, 0.0, 200, 0, "ok")]) == {}


def test_garbage_collection_in_progress_at_the_start_is_not_counted() -> None:
    probes = RoundProbes(["gc"])
    probes.begin()
    gc.callbacks[-1]("stop", {})
    assert probes.end([])["gc_s"] == 0.0


def test_blocked_event_loop_lags() -> None:

    async def block() -> None:
        for watch in LOOP_WATCHERS:
            watch(asyncio.get_running_loop())
        await asyncio.sleep(0.03)
        time.sleep(0.06)  # noqa: ASYNC251  the probe must see it
        await asyncio.sleep(0.03)

    probes = RoundProbes(["loop_lag"])
    probes.begin()
    asyncio.run(block())
    seen = probes.end([])
    assert 0.045 < seen["loop_lag_p99_s"] < 0.5
    assert seen["loop_lag_p50_s"] < 0.045
    assert LOOP_WATCHERS == []


def test_without_an_event_loop_there_is_no_lag() -> None:
    assert probed("loop_lag") == {}


def test_each_probe_of_a_config_runs_either_in_the_worker_or_in_the_runner() -> None:
    assert sorted((*WORKER_PROBES, *PROCESS_PROBES)) == sorted(PROBES)


def test_collections_of_every_generation_are_counted() -> None:
    probes = RoundProbes(["allocations"])
    probes.begin()
    for generation in range(3):
        gc.collect(generation)
    assert probes.end([])["gc_collections"] == 3


def test_blocks_that_are_still_allocated_are_counted_and_freed_ones_are_not() -> None:
    """Of the other probes none counts, although they keep figures themselves."""
    probes = RoundProbes(WORKER_PROBES)
    probes.begin()
    kept = [object() for _ in range(1000)]
    del_me = [object() for _ in range(50_000)]
    del del_me
    seen = probes.end([])
    assert 1000 <= seen["blocks_grown"] < 1020
    del kept


def test_submissions_and_lags_are_recorded_without_blocks_of_their_own() -> None:
    probes = RoundProbes(WORKER_PROBES)
    probes.begin()
    with ThreadPoolExecutor(1) as pool:
        for _ in range(2000):
            pool.submit(int).result()
    assert probes.end([])["blocks_grown"] < 500


@pytest.mark.parametrize("is_over", [True, False])
def test_a_process_with_children_has_no_figures_of_allocations(is_over: bool) -> None:  # noqa: FBT001
    """They do not tell what the children collected and allocated."""
    probes = RoundProbes(["allocations"])
    probes.begin()
    with ProcessPoolExecutor(1) as pool:
        pool.submit(int).result()
        seen = None if is_over else probes.end([])
    assert (probes.end([]) if seen is None else seen) == {}
    assert probed("allocations").keys() == {"gc_collections", "blocks_grown"}


def test_sub_interpreters_have_no_figures_of_allocations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "concurrent.futures.interpreter", ModuleType("interpreter"))
    assert probed("allocations") == {}


def test_all_probes_together_return_the_figures_of_each() -> None:
    probes = RoundProbes(WORKER_PROBES)
    probes.begin()
    assert probes.end([]).keys() == {
        "cpu_user_s",
        "cpu_system_s",
        "switches_voluntary",
        "switches_involuntary",
        "gc_s",
        "gc_collections",
        "blocks_grown",
    }
