"""The figures of a call in an open loop, of fetches whose times are written by hand."""

from pathlib import Path

import pytest

from bench.api import Fetch, Job
from bench.api.pacing import due_s
from bench.worker.fetch_times import bucket_us, count_latencies
from bench.worker.open_loop import check, sum_up

CALLED_S = 100.0
RATE = 10.0


def job(countries: int = 4, workers: int = 2) -> Job:
    """Build a job of an open loop with ten fetches a second."""
    codes = ("BR",) * countries
    return Job(codes, workers, "http://h", Path("x"), "urllib3", rate=RATE, is_open_loop=True)


def fetch(number: int, start_s: float, end_s: float) -> Fetch:
    """Build the fetch that was due as the number-th, with times since the call."""
    times_s = (CALLED_S + start_s, CALLED_S + end_s)
    return Fetch("BR", *times_s, 200, 10, "ok", scheduled_s=due_s(CALLED_S, number, RATE))


def test_fetches_that_begin_in_time_have_no_backlog() -> None:
    """Each takes 50 ms, and begins 1 ms after it was due."""
    fetches = [fetch(n, n / 10 + 0.001, n / 10 + 0.051) for n in range(4)]
    found = sum_up(fetches, job(workers=1), CALLED_S)
    assert found is not None
    assert (found.offered, found.backlog, found.final_backlog) == (RATE, 0, 0)
    assert found.reached == pytest.approx(4 / 0.351)
    assert found.late_start_p99_s == pytest.approx(0.001)


def test_one_worker_that_takes_twice_as_long_falls_behind() -> None:
    """Each takes 200 ms and is due every 100: of eight, at 0.7 s four have begun, at 0, 0.2, 0.4 and 0.6."""
    fetches = [fetch(n, n * 0.2 + 0.0001, (n + 1) * 0.2) for n in range(8)]
    found = sum_up(fetches, job(8, 1), CALLED_S)
    assert found is not None
    assert (found.backlog, found.final_backlog) == (3, 3)
    assert found.reached == pytest.approx(8 / 1.6)
    assert found.late_start_p99_s == pytest.approx(1.4001 - 0.7)


def test_backlog_that_is_made_up_for_is_the_largest_and_not_the_last() -> None:
    """Nothing begins before 0.25 s, when three were due, two of them before the third became due."""
    starts_s = [0.25, 0.26, 0.27, 0.3001, 0.4001, 0.5001]
    fetches = [fetch(n, start_s, start_s + 0.005) for n, start_s in enumerate(starts_s)]
    found = sum_up(fetches, job(6), CALLED_S)
    assert found is not None
    assert (found.backlog, found.final_backlog) == (2, 0)


def test_fetches_that_wait_within_the_client_are_backlog() -> None:
    """All begin when they are due, but one worker answers them one after the other, each in 150 ms."""
    fetches = [fetch(n, n / 10 + 0.0001, (n + 1) * 0.15) for n in range(6)]
    found = sum_up(fetches, job(6, 1), CALLED_S)
    assert found is not None
    # at 0.5 s three have ended and one is at the server; the fifth of the earlier ones waits
    assert (found.backlog, found.final_backlog) == (1, 1)


def test_order_of_the_fetches_does_not_matter() -> None:
    fetches = [fetch(n, n * 0.2 + 0.0001, (n + 1) * 0.2) for n in range(8)]
    assert sum_up(fetches[::-1], job(8, 1), CALLED_S) == sum_up(fetches, job(8, 1), CALLED_S)


def test_no_fetches_have_no_figures() -> None:
    assert sum_up([], job(), CALLED_S) is None


def test_latencies_count_from_when_a_fetch_was_due() -> None:
    """Both were at the server for 50 ms; the second was due 300 ms before it began."""
    fetches = [fetch(0, 0.0, 0.05), fetch(1, 0.4, 0.45)]
    assert count_latencies(fetches) == {str(bucket_us(0.05)): 1, str(bucket_us(0.35)): 1}
    unscheduled = [each._replace(scheduled_s=0.0) for each in fetches]
    assert count_latencies(unscheduled) == {str(bucket_us(0.05)): 2}


@pytest.mark.parametrize(
    "fetches",
    [[fetch(0, 0.0, 0.1), fetch(1, 0.1, 0.2)], [fetch(3, 0.31, 0.4), fetch(0, 0.31, 0.4)]],
)
def test_fetches_with_places_of_their_own_in_the_schedule_are_accepted(fetches: list[Fetch]) -> None:
    assert check(fetches, job(), CALLED_S) is None


@pytest.mark.parametrize(
    "fetches",
    [
        [fetch(0, 0.0, 0.1), fetch(0, 0.1, 0.2)],
        [fetch(4, 0.4, 0.5)],
        [fetch(1, 0.05, 0.2)],
        [fetch(1, 0.1, 0.2)._replace(scheduled_s=0.0)],
        [fetch(1, 0.2, 0.3)._replace(scheduled_s=CALLED_S + 0.15)],
    ],
)
def test_fetches_without_places_of_their_own_are_refused(fetches: list[Fetch]) -> None:
    problem = check(fetches, job(), CALLED_S)
    assert problem is not None
    what = "download_many returned a Fetch of 'BR' that has no place in the schedule"
    assert (problem.outcome, problem.detail) == ("error", what)
