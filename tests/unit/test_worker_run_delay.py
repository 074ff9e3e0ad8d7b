"""Reading how long threads waited for a processor."""

import threading

import pytest

from bench.worker.run_delay import read_run_delays, run_delay_s


def test_time_since_the_first_reading_is_added_up_over_the_threads_of_the_second() -> None:
    """A thread that ended within is lost, and one that began within counts as a whole."""
    before = {"1": 1_000_000_000, "2": 700_000_000}
    after = {"1": 1_250_000_000, "3": 500_000_000}
    assert run_delay_s(before, after) == pytest.approx(0.75)


def test_nothing_is_known_where_one_reading_is_missing() -> None:
    assert run_delay_s(None, {"1": 1}) is None
    assert run_delay_s({"1": 1}, None) is None


def test_every_living_thread_of_this_process_is_read() -> None:
    release = threading.Event()
    other = threading.Thread(target=release.wait)
    other.start()
    try:
        found = read_run_delays("self")
        assert found is not None
        assert {str(threading.get_native_id()), str(other.native_id)} <= found.keys()
    finally:
        release.set()
        other.join()


def test_a_process_that_has_ended_is_unknown() -> None:
    assert read_run_delays(2**22 + 1) is None


def test_threads_that_end_while_they_are_listed_are_tolerated() -> None:
    stop = threading.Event()

    def start_many() -> None:
        while not stop.is_set():
            each = threading.Thread(target=lambda: None)
            each.start()
            each.join()

    busy = threading.Thread(target=start_many)
    busy.start()
    try:
        assert all(read_run_delays("self") for _ in range(300))
    finally:
        stop.set()
        busy.join()
