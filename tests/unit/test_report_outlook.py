"""What is foreseen of a run, and how it is held against the truth."""

import io

import pytest
from rich.console import Console

from bench.model.cases import Experiment, Stopping
from bench.model.lower_bound import CaseForecast
from bench.report.time_estimate import print_actual_duration, print_expected_duration, print_forecast
from tests.builders import case, failed, trials

POOL = case("threadpool_as_completed", workers=20)
LOOP = case("asyncio_gather", "aiohttp", workers=20)


def outlooks_of(*trials_s: float) -> tuple[CaseForecast, ...]:
    """Foresee two cases whose trials take so long, block by block."""
    return tuple(CaseForecast(each, 0.02, trials_s, may_miss_deadline=False) for each in (LOOP, POOL))


def foreseen(stopping: Stopping | None, *trials_s: float) -> str:
    """Return what is said before a run of as many blocks."""
    stream = io.StringIO()
    experiment = Experiment("x", (LOOP, POOL), {}, len(trials_s), None, 60, 10, 1, stopping=stopping)
    print_expected_duration(outlooks_of(*trials_s), experiment, Console(file=stream, width=200))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("stopping", "said"),
    [
        (None, "in 10 blocks, about 20 s in all\n"),
        (Stopping(10, 0.03, None), "in 10 blocks, about 20 s in all\n"),
        (Stopping(6, 0.03, None), "in 6 to 10 blocks, about 12 s to 20 s in all\n"),
        (Stopping(6, 0.03, 15.0), "in 6 to 10 blocks, about 12 s to 17 s in all\n"),
        (Stopping(6, None, 300.0), "in 6 to 10 blocks, about 12 s to 20 s in all\n"),
        (
            Stopping(6, None, 5.0),
            (
                "in 6 to 10 blocks, about 12 s to 12 s in all\n"
                "warning: the budget is 5 s; the least of 6 blocks may take 12 s\n"
            ),
        ),
    ],
)
def test_the_time_is_foreseen_as_a_range_where_the_data_decide(stopping: Stopping | None, said: str) -> None:
    """A budget may be exceeded by the block that it ends, and by the least of blocks."""
    assert foreseen(stopping, *[1.0] * 10) == f"x: 2 cases {said}"


def test_the_truth_is_held_against_the_blocks_that_were_run() -> None:
    """One case left after two blocks; what was spoilt is told apart."""
    spoilt = failed(LOOP, 1, "invalid", "")
    measured = [*trials(LOOP, [0.02, 0.02]), spoilt, *trials(POOL, [0.02] * 3)]
    stream = io.StringIO()
    print_actual_duration(outlooks_of(1.0, 2.0, 4.0), measured, 11.55, Console(file=stream, width=200))
    assert stream.getvalue() == (
        "took 11.6 s (550 ms of it for 1 spoilt trial), 10 s were expected for these blocks (+10%)\n"
    )


def test_check_shows_the_least_and_the_most_of_each_case() -> None:
    """Two columns in place of one."""
    stream = io.StringIO()
    experiment = Experiment("x", (LOOP, POOL), {}, 10, None, 60, 10, 1, stopping=Stopping(6, 0.03, None))
    print_forecast(outlooks_of(*[1.0] * 10), experiment, Console(file=stream, width=200))
    heading, _, row, *_ = stream.getvalue().splitlines()
    assert heading.split() == ["case", "fetches", "ideal", "at", "least", "at", "most"]
    assert row.split() == [LOOP.id, "3", "20", "ms", "6", "s", "10", "s"]
