"""Tests of the expected duration of a run, and of its comparison with the actual one."""

import pytest

from bench.model.cases import Experiment, Stopping
from bench.model.lower_bound import CaseForecast
from bench.report.time_estimate import (
    actual_duration_line,
    expected_duration_line,
    forecast_table,
    time_limit_warnings,
)
from tests.builders import case, failed, trials

POOL = case("threadpool_as_completed", workers=20)
LOOP = case("asyncio_gather", "aiohttp", workers=20)


def forecasts_of(*trials_s: float) -> tuple[CaseForecast, ...]:
    """Forecast two cases whose trials take these seconds, block by block."""
    return tuple(CaseForecast(each, 0.02, trials_s, may_miss_deadline=False) for each in (LOOP, POOL))


def expected(stopping: Stopping | None, *trials_s: float) -> list[str]:
    """Return the lines before a run of as many blocks."""
    experiment = Experiment("x", (LOOP, POOL), {}, len(trials_s), None, 60, 10, 1, stopping=stopping)
    forecasts = forecasts_of(*trials_s)
    return [expected_duration_line(forecasts, experiment), *time_limit_warnings(forecasts, experiment)]


@pytest.mark.parametrize(
    ("stopping", "said"),
    [
        (None, "in 10 blocks, about 20 s in all"),
        (Stopping(10, 0.03, None), "in 10 blocks, about 20 s in all"),
        (Stopping(6, 0.03, None), "in 6 to 10 blocks, about 12 s to 20 s in all"),
        (Stopping(6, 0.03, 15.0), "in 6 to 10 blocks, about 12 s to 17 s in all"),
        (Stopping(6, None, 300.0), "in 6 to 10 blocks, about 12 s to 20 s in all"),
        (
            Stopping(6, None, 5.0),
            (
                "in 6 to 10 blocks, about 12 s to 12 s in all\n"
                "the budget is 5 s; the least of 6 blocks may take 12 s"
            ),
        ),
    ],
)
def test_expected_duration_is_a_range_if_a_stopping_rule_decides(
    stopping: Stopping | None, said: str
) -> None:
    """The last block, and the least number of blocks, may exceed a budget."""
    assert "\n".join(expected(stopping, *[1.0] * 10)) == f"x: 2 cases {said}"


def test_actual_duration_is_compared_with_the_blocks_that_were_run() -> None:
    """One case stopped after two blocks; the time of disturbed trials is left out."""
    disturbed = failed(LOOP, 1, "invalid", "")
    measured = [*trials(LOOP, [0.02, 0.02]), disturbed, *trials(POOL, [0.02] * 3)]
    assert actual_duration_line(forecasts_of(1.0, 2.0, 4.0), measured, 11.55) == (
        "took 11.6 s (550 ms of it for 1 disturbed trial), 10 s were expected for these blocks (+10%)"
    )


def test_forecast_has_the_least_and_the_most_of_each_case() -> None:
    experiment = Experiment("x", (LOOP, POOL), {}, 10, None, 60, 10, 1, stopping=Stopping(6, 0.03, None))
    table = forecast_table(forecasts_of(*[1.0] * 10), experiment)
    headings = [column.heading for column in table.columns]
    assert headings == ["case", "fetches", "ideal", "at least", "at most"]
    assert table.rows[0].cells == (LOOP.id, "3", "20 ms", "6 s", "10 s")


def test_forecast_without_a_measurement_is_said_to_be_a_guess() -> None:
    experiment = Experiment("x", (LOOP,), {}, 1, None, 60, 10, 1)
    guessed = CaseForecast(LOOP, 0.02, (1.0,), may_miss_deadline=True, guess="its pilot failed")
    assert list(time_limit_warnings((guessed,), experiment)) == [
        f"the duration of {LOOP.id} is a guess: its pilot failed",
        f"a trial of {LOOP.id} may take longer than its deadline of 1 min 0 s",
    ]
