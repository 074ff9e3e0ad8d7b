"""Tests of runs whose cases are measured with several numbers of downloads or amounts of CPU work."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from bench.model.cases import Case, Fixed, Profile, Selection
from bench.model.results import Measurement, Run
from bench.report.axis_conclusion import axis_conclusion
from bench.report.results_table import run_tables
from bench.report.summary_table import summary_tables
from bench.stats.crossover import SeriesPair
from bench.stats.ranking import rankings
from bench.stats.series_over_axis import AxisSummary, summarize_axes
from tests.axis_runs import COUNTS, TIMES, case_of, counted_run, worked_case, worked_run
from tests.builders import failed, run_of, trials
from tests.rendering import printed


def only(run: Run) -> AxisSummary:
    """Return the summary of a run of one profile."""
    (found,) = summarize_axes(rankings(run))
    return found


def timed(cases: set[Case]) -> Mapping[Case, list[Measurement]]:
    """Time cases in three blocks."""
    return {each: trials(each, [0.1, 0.11, 0.12]) for each in sorted(cases, key=lambda each: each.id)}


def by_strategies(summary: AxisSummary) -> Mapping[tuple[str, str], SeriesPair[Case]]:
    """Return the pairs by the names of their strategies."""
    return {(pair.first.strategy, pair.second.strategy): pair for pair in summary.pairs}


def test_cases_are_ranked_only_among_those_with_as_many_downloads() -> None:
    found = only(counted_run())
    assert list(found.rankings) == list(COUNTS)
    for count, ranking in found.rankings.items():
        assert {row.case.countries.count for row in ranking.rows} == {count}
        assert ranking.fastest == case_of("threadpool_map", 40, count).id
        assert ranking.baseline == case_of("sequential", 1, count).id


def test_ids_tell_the_number_of_downloads() -> None:
    ids = [row.case.id for row in only(counted_run()).series[0].rows.values()]
    assert ids == [f"sequential/http_client/1/10ms/{count}fetches" for count in COUNTS]


@pytest.mark.parametrize(("fixed_s", "place"), [(0.5, 53), (10.0, 1_064)])
def test_crossover_lies_where_the_times_are_equal(fixed_s: float, place: float) -> None:
    """So long to start and 2.6 ms a download are as long as 12 ms a download."""
    (crossover,) = by_strategies(only(counted_run(fixed_s=fixed_s)))["sequential", "dask"].crossovers
    assert crossover.below < place < crossover.above
    assert crossover.at is not None
    assert crossover.at.low is not None
    assert crossover.at.high is not None
    assert 0.95 * place < crossover.at.low <= crossover.at.estimate <= crossover.at.high < 1.05 * place


def test_no_crossover_is_shown_where_one_strategy_is_always_ahead() -> None:
    """With 0.1 s to start, the cluster is ahead from 11 downloads on, and 20 are the fewest."""
    pair = by_strategies(only(counted_run(fixed_s=0.1)))["sequential", "dask"]
    assert pair.crossovers == ()
    assert pair.ahead(pair.second) == COUNTS


def test_case_with_as_many_workers_as_downloads_stands_for_all_beyond() -> None:
    """Forty and a hundred workers are both twenty, where there are only twenty downloads."""
    cases = {case_of("threadpool_map", workers, count) for workers in (8, 40, 100) for count in COUNTS}
    rows = {each.case.workers: list(each.rows) for each in only(run_of(timed(cases))).series}
    assert rows == {8: [20, 200, 2_000], 40: [20, 200, 2_000], 100: [20, 200, 2_000]}


def test_case_that_stands_for_several_series_is_compared_once() -> None:
    """Forty and a hundred workers share their case of twenty downloads, which is not compared with itself."""
    cases = {
        case_of(strategy, workers, count)
        for strategy in ("threadpool_map", "dask")
        for workers in (40, 100)
        for count in COUNTS
    }
    orders = [pair.orders for pair in only(run_of(timed(cases))).pairs]
    assert sum(20 in each for each in orders) == 1


def test_limit_beyond_the_downloads_is_no_series_of_its_own() -> None:
    limited = {replace(case_of("dask", 40, count), connections=30 if count > 30 else 0) for count in COUNTS}
    (series,) = only(run_of(timed(limited))).series
    assert list(series.rows) == list(COUNTS)


def test_strategy_with_workers_of_its_own_is_one_series() -> None:
    own = {replace(case_of("mine", count, count), has_own_workers=True, workers=count) for count in COUNTS}
    (series,) = only(run_of(timed(own))).series
    assert list(series.rows) == list(COUNTS)


def test_settings_and_profiles_make_series_of_their_own() -> None:
    near = {case_of("dask", 8, count) for count in COUNTS}
    closing = {replace(each, keep_alive=False) for each in near}
    elsewhere = {replace(each, scheduler="tcp://10.0.0.1:8786") for each in near}
    far = {replace(each, profile=Profile("far", Fixed(0.3))) for each in near}
    found = summarize_axes(rankings(run_of(timed(near | closing | elsewhere | far))))
    assert sorted((each.conditions, len(each.series)) for each in found) == [("10ms", 3), ("far", 1)]
    assert all(list(series.rows) == list(COUNTS) for each in found for series in each.series)


def test_one_number_of_downloads_has_no_such_table() -> None:
    plain = replace(case_of("dask", 8, 20), countries=Selection("pop20", ("BR",) * 20))
    assert summarize_axes(rankings(run_of({plain: trials(plain, [0.1, 0.2])}))) == ()


def test_case_that_mostly_failed_has_its_outcome_and_no_part_in_crossovers() -> None:
    run = counted_run(fixed_s=0.5)
    worst = case_of("dask", 8, 2_000)
    run = replace(
        run,
        trials=tuple(
            failed(worst, each.block, "timeout", "stopped") if each.case == worst.id else each
            for each in run.trials
        ),
    )
    shown = printed(summary_tables(run, 100, ""), 100)
    assert "! timeout" in shown
    assert "With 2,000 downloads: " in shown
    assert all(
        2_000 not in pair.orders for names, pair in by_strategies(only(run)).items() if "dask" in names
    )


def test_summary_shows_times_by_downloads(snapshot: SnapshotAssertion) -> None:
    assert printed(summary_tables(counted_run(fixed_s=0.5), 80, "show last --full"), 80) == snapshot


def test_few_blocks_are_said_to_be_too_few() -> None:
    shown = printed(summary_tables(counted_run(blocks=3), 80, ""), 80)
    assert "too few blocks for crossovers (3)" in shown
    assert "overtakes" not in shown


def test_every_table_has_times_by_downloads_after_those_of_each_number() -> None:
    titles = [table.title for table in run_tables(counted_run(fixed_s=0.5)) if table.title]
    assert sum("flags (pop20" in title for title in titles) == len(COUNTS)
    assert titles[-1] == "time by number of downloads"


def test_conclusion_names_the_fastest_and_how_sure_it_is() -> None:
    equal = {case_of(name, 8, count) for name in ("dask", "threadpool_map") for count in COUNTS[:2]}
    lines = list(axis_conclusion(only(run_of(timed(equal)))))
    assert lines[0].startswith("There are too few blocks for crossovers (3)")
    assert lines[1].startswith("With 20 downloads, ")
    assert lines[1].endswith("was fastest at 110 ms; there are too few blocks to tell it from 1 other case.")
    ranking = only(counted_run()).rankings[20]
    assert ranking.slower == {case_of("sequential", 1, 20).id, case_of("dask", 8, 20).id}
    equivalent, inconclusive = (frozenset({each}) for each in sorted(ranking.slower))
    unsure = replace(ranking, slower=frozenset(), equivalent=equivalent, inconclusive=inconclusive)
    *_, line = axis_conclusion(replace(only(counted_run()), rankings={20: unsure}))
    assert line.endswith("; it is practically equal to 1 other case; it cannot be told from 1 other case.")


def test_conclusion_without_any_timing_says_so() -> None:
    each = case_of("dask", 8, 20)
    run = run_of({each: [failed(each, block, "timeout", "stopped") for block in range(3)]})
    assert list(axis_conclusion(only(run))) == ["With 20 downloads, no case yielded a timing."]


def test_cases_with_work_are_ranked_only_among_those_with_as_much() -> None:
    found = only(worked_run())
    assert (found.axis.name, list(found.rankings)) == ("work", list(TIMES))
    fastest = [str(ranking.fastest).split("/")[0] for ranking in found.rankings.values()]
    assert fastest == ["threadpool_map", "threadpool_map", "processpool_map", "processpool_map"]


def test_series_of_different_workers_cross_where_their_times_are_equal() -> None:
    """30 ms and 1 ms each time with two processes, 6 ms and 3 ms each time with twenty threads."""
    pair = by_strategies(only(worked_run()))["threadpool_map", "processpool_map"]
    (crossover,) = pair.crossovers
    assert (crossover.below, crossover.above) == (5, 20)
    assert crossover.at is not None
    assert crossover.at.low is not None
    assert crossover.at.high is not None
    assert 11 < crossover.at.low <= 12 <= crossover.at.high < 13


def test_crossover_between_no_work_and_some_is_located() -> None:
    """Zero has no logarithm, so times are interpolated as they are: equal at 1.5."""
    pair = by_strategies(only(worked_run(start_s=0.009)))["threadpool_map", "processpool_map"]
    (crossover,) = pair.crossovers
    assert (crossover.below, crossover.above) == (0, 5)
    assert crossover.at is not None
    assert crossover.at.estimate == pytest.approx(1.5, abs=0.1)


def test_summary_shows_times_by_work(snapshot: SnapshotAssertion) -> None:
    assert printed(summary_tables(worked_run(), 80, "show last --full"), 80) == snapshot


def test_conclusion_names_the_fastest_with_each_amount_of_work() -> None:
    lines = list(axis_conclusion(only(worked_run())))
    assert lines[0].startswith(
        "processpool_map with http_client and 2 workers overtakes threadpool_map with http_client and 20 "
        "workers between 5 and 20 × json, at about 12 ("
    )
    assert lines[-len(TIMES)].startswith("With 0 × json, threadpool_map with http_client and 20 workers was ")
    few = list(axis_conclusion(only(worked_run(start_s=0.001))))
    assert "processpool_map with http_client and 2 workers is ahead with 0, 5, 20 and 50 × json." in few[0]


def test_run_over_both_axes_has_a_table_for_each_value_of_the_other() -> None:
    cases = {
        replace(worked_case(name, times), countries=case_of(name, 2, count).countries)
        for name in ("dask", "threadpool_map")
        for times in (0, 5)
        for count in COUNTS[:2]
    }
    run = run_of(timed(cases))
    titles = [table.title for table in summary_tables(run, 80, "") if table.title]
    assert sorted(titles) == [
        "10ms, 0 × json: time by number of downloads",
        "10ms, 20 downloads: time by CPU work on each flag",
        "10ms, 200 downloads: time by CPU work on each flag",
        "10ms, 5 × json: time by number of downloads",
    ]
    assert [summary.axis.name for summary in summarize_axes(rankings(run))] == ["downloads"] * 2 + [
        "work"
    ] * 2


def test_failures_over_both_axes_are_told_once() -> None:
    cases = {
        replace(worked_case("dask", times), countries=case_of("dask", 2, count).countries)
        for times in (0, 5)
        for count in COUNTS[:2]
    }
    run = run_of({each: [failed(each, block, "timeout", "stopped") for block in range(3)] for each in cases})
    shown = printed(summary_tables(run, 100, ""), 100)
    assert shown.count("With 20 downloads: ") == shown.count("With 200 downloads: ") == 2  # one for each work
    assert "With 5 × json: " not in shown
