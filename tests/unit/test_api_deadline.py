"""The deadline of blocking fetches: what drips is ended, and nothing is hit that has ended by itself."""

import sys
import time

import pytest

from bench.api.deadline import OverdueError, Watchdog

TIMEOUT_S = 0.01


@pytest.fixture
def watchdog() -> Watchdog:
    """Start one of its own for each test; its thread ends with the process."""
    started = Watchdog()
    started.start()
    return started


def read() -> None:
    """Take a byte, as a library does from a connection."""
    time.sleep(0.0002)


def dripped(watchdog: Watchdog, for_s: float) -> str:
    """Fetch something that drips for so long, in this thread."""
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


def test_what_drips_for_ever_is_ended_soon(watchdog: Watchdog) -> None:
    """Where it reads, and long before it would be over."""
    began_s = time.perf_counter()
    with watchdog.expect_fetches(TIMEOUT_S):
        assert dripped(watchdog, for_s=60) == "overdue"
    assert time.perf_counter() - began_s < 10


def test_what_ends_in_time_is_left_alone(watchdog: Watchdog) -> None:
    """However often; the next one has time of its own."""
    with watchdog.expect_fetches(TIMEOUT_S):
        assert {dripped(watchdog, for_s=0.0005) for _ in range(200)} == {"ok"}


def test_a_thread_that_waits_for_bytes_is_left_to_its_own_time_out(watchdog: Watchdog) -> None:
    """It is struck only if it reads on: here the one read never returns before the end."""

    def read() -> None:
        time.sleep(10 * TIMEOUT_S)

    due_s = time.perf_counter() + TIMEOUT_S
    with watchdog.expect_fetches(TIMEOUT_S):
        watchdog.begin(due_s)
        read()
        watchdog.end(due_s)
    assert time.perf_counter() > due_s


def test_the_strike_at_a_fetch_that_has_ended_leaves_the_next_its_deadline(watchdog: Watchdog) -> None:
    """Both are of the same thread, and one is over as the other begins."""
    with watchdog.expect_fetches(TIMEOUT_S):
        for _ in range(20):
            dripped(watchdog, TIMEOUT_S * 1.2)
            assert dripped(watchdog, for_s=60) == "overdue"


def test_a_debugger_may_look_on_afterwards(watchdog: Watchdog) -> None:
    """CPython 3.11 never comes back from the next traced call if an error that was thrown is taken back."""
    with watchdog.expect_fetches(TIMEOUT_S):
        assert {dripped(watchdog, TIMEOUT_S * 1.3) for _ in range(100)} <= {"ok", "overdue"}
    seen = []
    before = sys.gettrace()
    sys.settrace(lambda frame, *_: seen.append(frame.f_code.co_name))
    try:
        read()
    finally:
        sys.settrace(before)
    assert "read" in seen
