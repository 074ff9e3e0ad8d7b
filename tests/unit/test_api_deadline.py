"""The deadline of blocking fetches: dripping ones are ended, and finished ones are left alone."""

import sys
import time

import pytest

from bench.api.deadline import OverdueError, Watchdog

TIMEOUT_S = 0.01


@pytest.fixture
def watchdog() -> Watchdog:
    """Start a watchdog for each test; its thread ends with the process."""
    started = Watchdog()
    started.start()
    return started


def read() -> None:
    """Read a byte, as a library does from a connection."""
    time.sleep(0.0002)


def fetch_dripping(watchdog: Watchdog, for_s: float) -> str:
    """Read for some seconds in this thread, as a fetch with a time limit."""
    began_s = time.perf_counter()
    due_s = began_s + TIMEOUT_S
    try:
        watchdog.begin(due_s)
        try:
            while time.perf_counter() < began_s + for_s:
                read()
        finally:
            watchdog.end(due_s)
    except OverdueError:
        return "overdue"
    return "ok"


def test_dripping_fetch_is_ended_soon_after_its_deadline(watchdog: Watchdog) -> None:
    began_s = time.perf_counter()
    with watchdog.expect_fetches(TIMEOUT_S):
        assert fetch_dripping(watchdog, for_s=60) == "overdue"
    assert time.perf_counter() - began_s < 10


def test_fetches_that_end_in_time_are_left_alone(watchdog: Watchdog) -> None:
    with watchdog.expect_fetches(TIMEOUT_S):
        assert {fetch_dripping(watchdog, for_s=0.0005) for _ in range(200)} == {"ok"}


def test_blocked_read_is_left_to_the_timeout_of_its_library(watchdog: Watchdog) -> None:
    """An error is raised only between two reads."""

    def read() -> None:
        time.sleep(10 * TIMEOUT_S)

    due_s = time.perf_counter() + TIMEOUT_S
    with watchdog.expect_fetches(TIMEOUT_S):
        watchdog.begin(due_s)
        read()
        watchdog.end(due_s)
    assert time.perf_counter() > due_s


def test_next_fetch_of_a_thread_keeps_its_own_deadline(watchdog: Watchdog) -> None:
    """The previous one ends at about the time of its deadline."""
    with watchdog.expect_fetches(TIMEOUT_S):
        for _ in range(20):
            fetch_dripping(watchdog, TIMEOUT_S * 1.2)
            assert fetch_dripping(watchdog, for_s=60) == "overdue"


def test_thread_can_be_traced_afterwards(watchdog: Watchdog) -> None:
    """CPython 3.11 never returns from the next traced call if an asynchronous exception is taken back."""
    with watchdog.expect_fetches(TIMEOUT_S):
        assert {fetch_dripping(watchdog, TIMEOUT_S * 1.3) for _ in range(100)} <= {"ok", "overdue"}
    seen = []
    before = sys.gettrace()
    sys.settrace(lambda frame, *_: seen.append(frame.f_code.co_name))
    try:
        read()
    finally:
        sys.settrace(before)
    assert "read" in seen


def test_function_that_reads_on_in_one_call_is_ended_after_the_timeout_of_its_library(
    watchdog: Watchdog,
) -> None:
    """Such as that of urllib3-future: whether it is blocked cannot be seen from outside."""

    def exchange() -> None:
        while True:
            time.sleep(0.0002)

    exchange.__code__ = exchange.__code__.replace(co_name="__exchange_until")
    due_s = time.perf_counter() + TIMEOUT_S
    with watchdog.expect_fetches(TIMEOUT_S):
        watchdog.begin(due_s)
        with pytest.raises(OverdueError):
            exchange()
    assert time.perf_counter() > due_s + TIMEOUT_S
