"""Each probe sees what it is there for, in the process itself and in those that it forks."""

import asyncio
import gc
import os
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from bench.api import LOOP_WATCHERS, Fetch
from bench.model.cases import PROBES
from bench.system.process_probes import PROCESS_PROBES
from bench.worker.probes import Figures, Probing
from bench.worker.protocol import WORKER_PROBES


def work(seconds: float) -> None:
    """Use the processor for so long."""
    until_s = time.process_time() + seconds
    while time.process_time() < until_s:
        pass


def collect(_: object) -> int:
    """Collect garbage, noticeably."""
    circles: list[list[object]] = [[] for _ in range(100_000)]
    for circle in circles:
        circle.append(circle)
    del circles
    gc.collect()
    return os.getpid()


def probed(name: str, fetches: Sequence[Fetch] = ()) -> Figures:
    """Begin and end one probe."""
    probing = Probing([name])
    probing.begin()
    return probing.end(fetches)


def test_processor_time_is_counted_with_that_of_children() -> None:
    """A tenth of a second here, and as much in a pool of processes that has ended."""
    probing = Probing(["cpu"])
    probing.begin()
    work(0.1)
    with ProcessPoolExecutor(1) as pool:
        pool.submit(work, 0.1).result()
    seen = probing.end([])
    assert 0.19 < seen["cpu_user_s"] + seen["cpu_system_s"] < 1.0
    assert seen["switches_voluntary"] >= 1


def test_garbage_is_timed_in_forked_processes_too() -> None:
    """What a process of the pool spends is more than nothing, and there is no trace left afterwards."""
    before = list(gc.callbacks)
    probing = Probing(["gc"])
    probing.begin()
    with ProcessPoolExecutor(1) as pool:
        assert pool.submit(collect, None).result() != os.getpid()
    elsewhere = probing.end([])["gc_s"]
    probing = Probing(["gc"])
    probing.begin()
    collect(None)
    here = probing.end([])["gc_s"]
    assert elsewhere > 0.0005
    assert here > 0.0005
    assert gc.callbacks == before


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_the_queue_is_from_submission_to_start(kind: type[Executor]) -> None:
    """Three fetches in a row in one worker: they waited for 0, 50 and 100 ms."""
    original = kind.submit
    probing = Probing(["queue_wait"])
    probing.begin()
    with kind(1) as pool:  # type: ignore[call-arg]
        fetches = list(pool.map(slow_fetch, ["BR", "CN", "IN"]))
    seen = probing.end(fetches)
    assert 0.045 < seen["queue_wait_s"] < 0.5
    assert kind.submit is original


def slow_fetch(country: str) -> Fetch:
    """Take 50 ms."""
    start_s = time.perf_counter()
    time.sleep(0.05)
    return Fetch(country, start_s, time.perf_counter(), 200, 10, "ok")


def test_a_queue_that_does_not_correspond_to_fetches_is_not_told() -> None:
    """Without an executor, with chunks, or with times that cannot be."""
    assert probed("queue_wait", [slow_fetch("BR")]) == {}
    probing = Probing(["queue_wait"])
    probing.begin()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(time.sleep, 0).result()
    odd = Fetch("BR", None, None, 200, 0, "ok")  # type: ignore[arg-type]
    assert probing.end([odd]) == {}


def test_a_fetch_that_began_before_its_submission_is_not_told() -> None:
    """Its times are made up."""
    probing = Probing(["queue_wait"])
    probing.begin()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(time.sleep, 0).result()
    assert probing.end([Fetch("BR", 0.0, 0.0, 200, 0, "ok")]) == {}


def test_a_collection_that_was_going_on_before_is_not_counted() -> None:
    """Another thread may be in the middle of one when the probe begins."""
    probing = Probing(["gc"])
    probing.begin()
    gc.callbacks[-1]("stop", {})
    assert probing.end([])["gc_s"] == 0.0


def test_a_blocked_event_loop_lags() -> None:
    """It is blocked for 60 ms, while a timer was due every ten."""

    async def block() -> None:
        for watch in LOOP_WATCHERS:
            watch(asyncio.get_running_loop())
        await asyncio.sleep(0.03)
        time.sleep(0.06)  # noqa: ASYNC251  this is what is to be seen
        await asyncio.sleep(0.03)

    probing = Probing(["loop_lag"])
    probing.begin()
    asyncio.run(block())
    seen = probing.end([])
    assert 0.045 < seen["loop_lag_p99_s"] < 0.5
    assert seen["loop_lag_p50_s"] < 0.045
    assert LOOP_WATCHERS == []


def test_without_an_event_loop_there_is_no_lag() -> None:
    """Nothing is said rather than nought."""
    assert probed("loop_lag") == {}


def test_there_is_a_module_for_every_probe_that_a_config_can_name() -> None:
    """Either within the worker, or sampled from outside, and never both."""
    assert sorted((*WORKER_PROBES, *PROCESS_PROBES)) == sorted(PROBES)


def test_all_probes_go_together() -> None:
    """Each adds its own figures."""
    probing = Probing(WORKER_PROBES)
    probing.begin()
    assert probing.end([]).keys() == {
        "cpu_user_s",
        "cpu_system_s",
        "switches_voluntary",
        "switches_involuntary",
        "gc_s",
    }
