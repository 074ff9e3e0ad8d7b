"""The highest rate that a case keeps, alone and with bounds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from bench.model.comparison import Bound
from bench.model.results import Run
from bench.model.trial_outcome import Outcome
from bench.stats.absolute_thresholds import BoundStatus
from bench.stats.offered_rates import HighestRate, OfferedRates, find_highest, summarize_rates
from bench.stats.ranking import rankings
from bench.stats.scaling import summarize_scaling
from bench.stats.series_over_axis import summarize_axes
from tests.builders import case, failed, run_of, trials
from tests.open_loops import rated, rated_run

RATES = (50.0, 100.0, 200.0)
CAPACITIES = {("sequential", 1): 40.0, ("threadpool_map", 5): 120.0, ("asyncio_gather", 20): 900.0}


def only(run: Run) -> OfferedRates:
    """Return the summary of a run of one profile."""
    (found,) = summarize_rates(run, rankings(run))
    return found


def highest(run: Run) -> Mapping[str, HighestRate]:
    """Return the highest rate of each strategy."""
    return {each.case.strategy: each.highest for each in only(run).series}


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (("kept", "kept", "kept"), HighestRate(200, None, is_last=True)),
        (("kept", "kept", "broken"), HighestRate(100, None, is_last=False)),
        (("kept", "broken", "kept"), HighestRate(50, None, is_last=False)),
        (("kept", "open", "kept"), HighestRate(50, 100, is_last=False)),
        (("kept", "open", "broken"), HighestRate(50, 100, is_last=False)),
        (("broken", "kept", "kept"), HighestRate(None, None, is_last=False)),
        (("open", "broken", "broken"), HighestRate(None, 50, is_last=False)),
    ],
)
def test_highest_rate_is_the_last_before_the_first_that_is_not_kept(
    statuses: Sequence[BoundStatus], expected: HighestRate
) -> None:
    assert find_highest(dict(zip(RATES, statuses, strict=True))) == expected


def test_without_a_bound_the_highest_rate_is_the_last_that_is_not_saturated() -> None:
    assert highest(rated_run(CAPACITIES, RATES)) == {
        "sequential": HighestRate(None, None, is_last=False),
        "threadpool_map": HighestRate(100, None, is_last=False),
        "asyncio_gather": HighestRate(200, None, is_last=True),
    }


def test_rates_are_ascending_and_each_is_ranked_by_itself() -> None:
    found = only(rated_run(CAPACITIES, RATES[::-1]))
    assert list(found.rankings) == list(RATES)
    for rate, ranking in found.rankings.items():
        assert {row.case.rate for row in ranking.rows} == {rate}
    assert [[*each.rows] for each in found.series] == [[*RATES]] * 3
    assert found.series[0].case == rated("sequential", 1, 200.0)


def test_bound_must_hold_too() -> None:
    """All fetches take 20 ms where the capacity is large enough."""
    capacities = {("threadpool_map", 5): 120.0}
    for value_s, kept in ((0.030, 100), (0.010, None)):
        bound = Bound("*", "p99", "<", value_s)
        assert highest(rated_run(capacities, RATES, bounds=[bound]))["threadpool_map"].kept == kept


def test_bound_of_some_rates_binds_at_these_only() -> None:
    """The highest rate has a bound that it cannot keep, and the others have none."""
    found = rated_run({("asyncio_gather", 20): 900.0}, RATES, bounds=[Bound("*/200rps", "p99", "<", 0.001)])
    assert highest(found)["asyncio_gather"] == HighestRate(100, None, is_last=False)
    assert only(found).series[0].bounds == (Bound("*/200rps", "p99", "<", 0.001),)


def test_saturated_case_does_not_keep_a_bound_that_its_short_rounds_hide() -> None:
    """The last of its hundred fetches waits for 1.5 s, and would for 15 s in a round of a thousand."""
    bound = Bound("*", "p99", "<", 60.0)
    found = highest(rated_run({("sequential", 1): 40.0}, (10.0, 100.0), bounds=[bound]))
    assert found["sequential"] == HighestRate(10, None, is_last=False)


def test_too_few_blocks_leave_the_lowest_rate_undecided() -> None:
    found = highest(rated_run(CAPACITIES, RATES, blocks=3))
    assert found["asyncio_gather"] == HighestRate(None, 50, is_last=False)


def test_bound_that_one_block_can_keep_does_not_tell_whether_a_case_keeps_up() -> None:
    bound = Bound("*", "errors", "==", 0.0)
    found = highest(rated_run(CAPACITIES, RATES, bounds=[bound], blocks=1))
    assert found["asyncio_gather"] == found["sequential"] == HighestRate(None, 50, is_last=False)


def test_an_open_loop_has_no_fastest_case_and_no_speed_up() -> None:
    for ranking in rankings(rated_run(CAPACITIES, RATES)):
        assert (ranking.fastest, ranking.baseline, ranking.ranked_ids) == (None, None, frozenset())
        assert all(row.figures is not None and row.figures.times_faster is None for row in ranking.rows)


def test_failed_trials_of_a_strategy_do_not_keep_a_rate_and_discarded_ones_leave_it_open() -> None:
    run = rated_run({("asyncio_gather", 20): 900.0}, RATES)
    middle = rated("asyncio_gather", 20, 100.0)
    others = tuple(trial for trial in run.trials if trial.case != middle.id)
    ended: tuple[tuple[Outcome, float | None], ...] = (("crash", None), ("invalid", 100.0))
    for outcome, undecided in ended:
        lost = [failed(middle, block, outcome, "why") for block in range(8)]
        found = highest(replace(run, trials=(*others, *lost)))["asyncio_gather"]
        assert found == HighestRate(50, undecided, is_last=False)


def test_run_without_several_rates_has_no_summary() -> None:
    one = rated_run(CAPACITIES, (50.0,))
    assert summarize_rates(one, rankings(one)) == ()
    closed = run_of({case(): trials(case(), [0.1] * 6)})
    assert summarize_rates(closed, rankings(closed)) == ()


def test_open_loops_have_neither_scaling_nor_numbers_of_downloads() -> None:
    """The rate decides how long a round takes, not the workers."""
    capacities = {("threadpool_map", workers): 30.0 * workers for workers in (1, 2, 4, 8)}
    run = rated_run(capacities, (100.0,))
    assert [scaling.series for scaling in summarize_scaling(run)] == [()]
    several = tuple(
        replace(case, countries=replace(case.countries, is_one_of_several=True)) for case in run.cases
    )
    ids = dict(zip((case.id for case in run.cases), (case.id for case in several), strict=True))
    trials_of_several = tuple(replace(trial, case=ids[trial.case]) for trial in run.trials)
    counted = replace(run, cases=several, trials=trials_of_several)
    assert summarize_axes(rankings(counted)) == ()
