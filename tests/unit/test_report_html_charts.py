"""Tests of the rows behind each chart of a report, and of what all charts share."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from statistics import fmean, median
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.model.cases import Case
from bench.model.comparison import Bound, BoundedFigure
from bench.model.latency_histogram import encode_histogram, latency_quantiles
from bench.model.results import Measurement, Run
from bench.model.round_spans import FetchSpan, RequestSpan, RoundSpans, pack_spans
from bench.report.case_label import describe_case, describe_series
from bench.report.html.charts.breakdown import breakdown_rows
from bench.report.html.charts.distributions import (
    drawn_cases,
    elapsed_distribution_rows,
    latency_distribution_rows,
)
from bench.report.html.charts.drift import block_rows as drift_rows
from bench.report.html.charts.drift import discarded_rows
from bench.report.html.charts.elapsed import block_rows, elapsed_rows
from bench.report.html.charts.failures import failed_fetch_rows, failed_trial_rows
from bench.report.html.charts.over_axis import ideal_rows, line_rows
from bench.report.html.charts.over_axis import point_rows as count_rows
from bench.report.html.charts.ratios import ratio_rows, run_ratio_rows
from bench.report.html.charts.requests import draw_requests, fetch_rows, request_rows
from bench.report.html.charts.resources import cpu_rows, memory_rows
from bench.report.html.charts.scaling import knee_rows, point_rows
from bench.report.html.charts.thresholds import notes_on_others, threshold_rows
from bench.report.html.count_lines import CountScale, log_ticks
from bench.report.html.crossover_marks import crossover_rows
from bench.report.html.drawing import Drawing
from bench.report.html.picture import draw_picture
from bench.report.html.registry import CHARTS, DrawnKind, draw_charts, find_chart
from bench.report.html.subject import Subject, read_subject
from bench.report.html.theme import DARK, LIGHT, VERDICT_ORDER, Palette, verdict_colour
from bench.report.html.thinning import cumulative_shares, thin_values
from bench.stats.absolute_thresholds import BoundVerdict
from bench.stats.intervals import Interval
from tests.axis_runs import COUNTS, TIMES, case_of, counted_run, worked_case, worked_run
from tests.builders import case, failed, run_of, trials
from tests.comparisons import comparison_run
from tests.report_runs import BLOCKS, compared_run, full_run, run_named, small_run

CASES = 10
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def subject() -> Subject:
    return read_subject([full_run()])


@pytest.fixture(scope="module")
def comparison() -> Subject:
    return read_subject([compared_run()])


@pytest.fixture(scope="module")
def counted() -> Subject:
    """A run with several numbers of downloads and one crossover."""
    return read_subject([counted_run(fixed_s=0.5)])


@pytest.fixture(scope="module")
def worked() -> Subject:
    """A run with several amounts of CPU work, none among them, and one crossover."""
    return read_subject([worked_run()])


@pytest.fixture(scope="module")
def two_runs() -> Subject:
    """The same run twice, the second time a tenth slower."""
    run = full_run()
    slower = tuple(
        replace(
            trial,
            rounds=tuple(replace(each, elapsed_s=1.1 * each.elapsed_s) for each in trial.rounds),
        )
        for trial in run.trials
    )
    return read_subject([run, replace(run, name="later", trials=slower)])


def test_elapsed_rows_are_those_of_the_table_fastest_first(subject: Subject) -> None:
    (group,) = subject.groups
    rows = elapsed_rows(group)
    medians = [row["median"] for row in rows]
    assert len(rows) == CASES
    assert medians == sorted(medians)
    figures = {row.case.id: row.figures for row in subject.rankings[0][0].rows}
    for shown, row in zip(group.timed, rows, strict=True):
        found = figures[shown.case.id]
        assert found is not None
        assert row["median"] == pytest.approx(found.elapsed.estimate * 1000)
        assert row["low"] <= row["median"] <= row["high"]
        assert row["ideal"] == pytest.approx(20)


def test_every_block_has_a_row_until_there_are_too_many(subject: Subject) -> None:
    (group,) = subject.groups
    assert len(block_rows(group)) == CASES * BLOCKS - 1
    many = case()
    run = run_of({many: trials(many, [0.03 + 1e-6 * block for block in range(1500)])})
    rows = block_rows(read_subject([run]).groups[0])
    assert len(rows) == 1000
    assert (rows[0]["value"], rows[-1]["value"]) == (pytest.approx(30), pytest.approx(31.499))


def test_parts_of_the_time_join_and_add_up_to_the_mean_elapsed_time(subject: Subject) -> None:
    (group,) = subject.groups
    rows = breakdown_rows(group)
    for shown in group.timed:
        parts = [row for row in rows if row["label"] == shown.label]
        rounds = [round_ for trial in shown.good for round_ in trial.rounds if round_.gap is not None]
        assert parts[0]["part"] == "planned ideal"
        assert [row["from"] for row in parts[1:]] == [row["to"] for row in parts[:-1]]
        assert parts[-1]["to"] == pytest.approx(1000 * fmean(round_.elapsed_s for round_ in rounds))


def test_scaling_rows_have_all_workers_and_the_knees_of_the_table(subject: Subject) -> None:
    ((scaling,),) = subject.scalings
    (group,) = subject.groups
    assert [row["workers"] for row in point_rows({"": scaling}, group)] == [1, 2, 4, 8] * 2
    knees = {row["series"]: row["workers"] for row in knee_rows({"": scaling}, group)}
    assert knees == {"threadpool_map with requests": 4}
    assert crossover_rows(scaling.pairs, describe_series) == []


def test_crossover_row_lies_between_the_numbers_of_workers() -> None:
    measured = {}
    for name, seconds in (("threadpool_map", (0.1, 0.09, 0.08)), ("asyncio_gather", (0.2, 0.1, 0.04))):
        for workers, middle_s in zip((1, 2, 8), seconds, strict=True):
            each = case(name, "requests", workers)
            measured[each] = trials(each, [middle_s * (1 + 0.001 * block) for block in range(12)])
    ((scaling,),) = read_subject([run_of(measured)]).scalings
    (row,) = crossover_rows(scaling.pairs, describe_series)
    assert 2 < row["low"] <= row["at"] <= row["high"] < 8


@pytest.mark.parametrize(
    ("low", "high", "ticks"), [(0.7, 6.0, [1, 2, 5]), (9.0, 120.0, [10, 20, 50, 100]), (3.0, 4.0, [])]
)
def test_ticks_of_logarithmic_axes(low: float, high: float, ticks: list[float]) -> None:
    assert log_ticks(low, high) == ticks


def test_distributions_draw_all_of_few_cases_and_the_fastest_of_each_series_of_many(subject: Subject) -> None:
    (group,) = subject.groups
    fastest = [(each.case.strategy, each.case.workers) for each in drawn_cases(group)]
    assert fastest == [
        ("asyncio_gather", 8),
        ("threadpool_map", 4),
        ("processpool_map", 4),
        ("sequential", 1),
    ]
    (few,) = read_subject([small_run()]).groups
    assert drawn_cases(few) == few.timed


def test_distribution_rises_to_the_whole(subject: Subject) -> None:
    (group,) = subject.groups
    for rows in (elapsed_distribution_rows(group), latency_distribution_rows(group)):
        for shown in drawn_cases(group):
            own = [row for row in rows if row["label"] == shown.label]
            assert [row["share"] for row in own] == sorted(row["share"] for row in own)
            assert [row["value"] for row in own] == sorted(row["value"] for row in own)
            assert own[-1]["share"] == 1


def test_latency_quantiles_are_those_of_the_merged_histograms() -> None:
    texts = [encode_histogram([{"1000": 50, "2000": 40}]), encode_histogram([{"8000": 10}])]
    found = latency_quantiles(texts, (0.5, 0.9, 0.95, 1.0))
    assert found == [pytest.approx(each, rel=1e-3) for each in (0.001, 0.002, 0.008, 0.008)]
    assert latency_quantiles([""], (0.5,)) == []


def test_requests_stand_in_the_rows_of_their_fetches(subject: Subject) -> None:
    """A country that is asked for twice is matched in the order of time; a hundred fetches are drawn."""
    (shown, *_) = subject.groups[0].cases
    fetches = tuple(FetchSpan(code, "ok", at, at + 5, at + 6) for at, code in enumerate(("BR", "CN", "BR")))
    requests = tuple(
        RequestSpan(code, 7, 200, fault, at + 0.5, at + 4, at + 4.5)
        for at, code, fault in ((1, "CN", ""), (0, "BR", "slow_body"), (2, "BR", ""), (3, "IN", ""))
    )
    spans = RoundSpans(8.0, fetches, requests, 3, 4)
    assert [(row["place"], row["from"], row["to"]) for row in fetch_rows(shown, spans)] == [
        (0, 0, 6000), (1, 1000, 7000), (2, 2000, 8000),
    ]  # fmt: skip
    assert [(row["place"], row["from"], row["fault"]) for row in request_rows(shown, spans)] == [
        (1, 1500, "none"), (0, 500, "slow body"), (2, 2500, "none"),
    ]  # fmt: skip
    unknown = replace(spans, fetches=())
    assert [row["place"] for row in request_rows(shown, unknown)] == [0, 1, 2, 3]
    many = replace(spans, fetches=fetches * 50, requests=requests[:1] * 150)
    assert len(fetch_rows(shown, many)) == 100
    assert max(row["place"] for row in request_rows(shown, many)) < 100


def test_chart_of_requests_says_how_many_it_leaves_out() -> None:
    each = case()
    fetches = tuple(FetchSpan("BR", "ok", at, at + 1, at + 2) for at in range(120))
    packed = pack_spans(RoundSpans(130.0, fetches, (), 5000, 0))
    first, *rest = trials(each, [0.02] * 6)
    (drawing,) = draw_requests(read_subject([run_of({each: [replace(first, spans=packed), *rest]})]))
    assert isinstance(drawing, Drawing)
    assert drawing.remark == "The first 100 of 5,000 downloads are drawn."


def spanned(case_: Case, spans: str, times_s: Sequence[float] = (0.02, 0.021, 0.022)) -> list[Measurement]:
    """Build trials of which the first has spans, be they damaged."""
    first, *rest = trials(case_, times_s)
    return [replace(first, spans=spans), *rest]


def test_chart_of_requests_names_its_block_and_its_time() -> None:
    packed = pack_spans(RoundSpans(0.0285, (FetchSpan("BR", "ok", 0, 0.01, 0.02),), (), 1, 0))
    (drawing,) = draw_requests(read_subject([run_of({case(): spanned(case(), packed)})]))
    assert isinstance(drawing, Drawing)
    assert drawing.title.endswith(" · block 1 · 28.5 ms")


def test_damaged_spans_leave_out_one_chart_with_a_note() -> None:
    fine, damaged = case(), case("asyncio_gather", "aiohttp")
    packed = pack_spans(RoundSpans(0.02, (FetchSpan("BR", "ok", 0, 0.01, 0.02),), (), 1, 0))
    run = run_of({fine: spanned(fine, packed), damaged: spanned(damaged, "AAAA")})
    kind = draw_charts(read_subject([run]))["requests"]
    assert len(kind.drawings) == 1
    (note,) = kind.notes
    assert note.startswith("The requests of a trial cannot be drawn: asyncio_gather with aiohttp")
    assert "block 1: not the spans of a round" in note
    with pytest.raises(UsageError, match="The requests of a trial cannot be drawn: "):
        find_chart(read_subject([run_of({damaged: spanned(damaged, "AAAA")})]), "requests")


@cache
def many_profiles(profiles: int, cases: int) -> tuple[Subject, Mapping[str, DrawnKind]]:
    """Build a run with several profiles, each with the same number of series; draw it once for all tests."""
    packed = pack_spans(RoundSpans(0.02, (FetchSpan("BR", "ok", 0, 0.01, 0.02),), (), 1, 0))
    measured = {}
    for number in range(profiles):
        for place in range(cases):
            each = case(f"strategy_{place}")
            each = replace(each, profile=replace(each.profile, name=f"profile {number}"))
            measured[each] = spanned(each, packed, [0.02 + 1e-5 * block for block in range(20)])
    subject = read_subject([run_of(measured)])
    return subject, draw_charts(subject)


@pytest.mark.long
@pytest.mark.parametrize(("profiles", "cases"), [(1, 20), (5, 20), (20, 2)])
def test_profiles_share_the_marks_of_a_page(profiles: int, cases: int) -> None:
    subject, charts = many_profiles(profiles, cases)
    assert sum(len(block_rows(group)) for group in subject.groups) <= 1000
    assert sum(len(drawn_cases(group)) for group in subject.groups) <= max(36, 3 * profiles)
    assert len(charts["requests"].drawings) <= 12
    points = [layer for drawing in charts["drift"].drawings.values() for layer in rows_of(drawing, "points")]
    assert len(points) <= 1500


def test_charts_of_requests_beyond_those_of_a_page_are_counted() -> None:
    _, charts = many_profiles(5, 20)
    kind = charts["requests"]
    assert len(kind.drawings) == 10
    assert kind.notes == ("Of 100 cases with stored requests 10 of the fastest are drawn.",)


def rows_of(drawing: Drawing, name: str) -> list[dict[str, Any]]:
    """Return the rows of the layer of a chart; none if it has no such layer."""
    spec = drawing.chart.to_dict()
    return [
        row
        for layer in spec["layer"]
        if layer["name"] == name
        for row in spec["datasets"][layer.get("data", spec.get("data"))["name"]]
    ]


def test_cpu_and_memory_have_a_row_for_each_case(subject: Subject) -> None:
    (group,) = subject.groups
    assert [row["kind"] for row in cpu_rows(group)] == ["user", "system"] * CASES
    assert len(memory_rows(group)) == CASES
    assert {row["value"] for row in memory_rows(group)} == {23e6 / 2**20}


def test_failures_are_counted_by_class_and_without_discarded_trials(subject: Subject) -> None:
    (group,) = subject.groups
    assert [(row["outcome"], row["count"]) for row in failed_trial_rows(group)] == [("crash", 1)]
    assert [(row["outcome"], row["count"]) for row in failed_fetch_rows(group)] == [("timeout", 1)]


def test_drift_is_against_the_median_of_the_case_and_names_discarded_trials(subject: Subject) -> None:
    (group,) = subject.groups
    rows = drift_rows(group)
    assert len(rows) == CASES * BLOCKS - 1
    for shown in group.timed:
        assert median(row["change"] for row in rows if row["label"] == shown.label) == pytest.approx(
            0, abs=1e-9
        )
    (discarded,) = discarded_rows(group)
    assert (discarded["block"], discarded["reason"], discarded["then"]) == (
        2,
        "the machine slept for 2 s",
        "repeated",
    )


def test_ratios_have_the_verdicts_of_the_comparison(comparison: Subject) -> None:
    verdicts = comparison.verdicts
    assert verdicts is not None
    rows = ratio_rows(verdicts)
    assert [row["verdict"] for row in rows][:1] == ["slower"]
    found = {(row["case"], row["metric"]): row["verdict"] for row in rows}
    assert found == {(each.case, each.metric): each.verdict for each in verdicts.metrics}
    assert rows[0]["low"] > 0
    assert rows[0]["margin_high"] == pytest.approx(0.05)


def test_thresholds_have_their_values_and_verdicts(comparison: Subject) -> None:
    assert comparison.verdicts is not None
    rows = threshold_rows(comparison.verdicts.bounds)
    states = {(row["case"].split("/")[0], row["bound"]): row["state"] for row in rows}
    assert states == {
        ("threadpool_map", "elapsed < 50 ms"): "kept",
        ("asyncio_gather", "elapsed < 50 ms"): "kept",
        ("asyncio_gather", "elapsed < 20 ms"): "broken",
    }
    assert all((row["share"] < 1) == (row["state"] == "kept") for row in rows)


def bound_verdict(
    figure: BoundedFigure, value: float, found: Interval | None, name: str = "a/b/1/c"
) -> BoundVerdict:
    """Build the verdict of a bound that is kept."""
    return BoundVerdict(name, Bound("*", figure, "==", value), "kept" if found else "open", found, 3)


def test_bounds_without_a_mark_are_named_with_their_verdicts() -> None:
    """A bound of zero has no shares, and one whose figure was not measured no mark."""
    none = Interval(0.0, 0.0, 0.0)
    bounds = [
        bound_verdict("errors", 0, none),
        bound_verdict("errors", 0, none, "d/e/1/c"),
        *(bound_verdict("memory", 2**20, None, f"{letter}/b/1/c") for letter in "abcd"),
        bound_verdict("elapsed", 0.5, Interval(0.4, 0.3, 0.45)),
    ]
    assert [row["bound"] for row in threshold_rows(bounds)] == ["elapsed == 500 ms"]
    assert [each.text for each in notes_on_others(bounds)] == [
        "errors == 0 is kept for a/b/1/c and d/e/1/c; it is not drawn, as nothing is a share of zero.",
        "memory == 1.0 MiB is open for 4 cases; it is not drawn, as it was not measured.",
    ]


def test_legend_of_thresholds_has_only_the_states_of_their_marks() -> None:
    errors, broken = Bound("*", "errors", "==", 0), Bound("asyncio*", "elapsed", "<", 0.02)
    charts = draw_charts(read_subject([compared_run(errors, broken)]))
    (drawing,) = charts["thresholds"].drawings.values()
    assert [key.text for key in drawing.legend] == ["broken", "95% interval", "the threshold"]
    (note,) = charts["thresholds"].notes
    assert note.startswith("errors == 0 is kept for ")
    charts = draw_charts(read_subject([compared_run(errors)]))
    assert not charts["thresholds"].drawings
    assert charts["thresholds"].notes == (note,)


def test_reading_of_thresholds_says_which_side_is_good() -> None:
    assert "left of it is good where the threshold says <, and right" in CHARTS["thresholds"].reading


def test_scaling_is_drawn_by_the_planned_ideal() -> None:
    """The actual one differs from series to series, as the server is late to some more than to others."""
    measured = {}
    for name, ideal_s in (("threadpool_map", 0.03), ("asyncio_gather", 0.02)):
        for workers in (1, 2, 8):
            each = case(name, "requests", workers)
            measured[each] = [
                replace(
                    trial,
                    rounds=tuple(
                        replace(round_, ideal_s=ideal_s, planned_ideal_s=0.01 + 0.001 * workers)
                        for round_ in trial.rounds
                    ),
                )
                for trial in trials(each, [0.1, 0.11, 0.12])
            ]
    subject = read_subject([run_of(measured)])
    ((scaling,),), (group,) = subject.scalings, subject.groups
    rows = point_rows({"": scaling}, group)
    assert [row["ideal"] for row in rows] == pytest.approx([11, 12, 18] * 2)
    assert {row["ideal"] for row in elapsed_rows(group)} == {20, 30}


def test_scaling_is_drawn_by_the_least_ideal_of_its_series() -> None:
    """A series with a connection for each fetch has a longer one than others."""
    measured = {}
    for keep_alive, ideal_s in ((True, 0.02), (False, 0.05)):
        for workers in (1, 2, 8):
            each = replace(case(workers=workers), keep_alive=keep_alive)
            measured[each] = [
                replace(
                    trial, rounds=tuple(replace(round_, planned_ideal_s=ideal_s) for round_ in trial.rounds)
                )
                for trial in trials(each, [0.1 / workers, 0.11 / workers, 0.12 / workers])
            ]
    for run in (run_of(measured), run_of(dict(reversed(measured.items())))):
        (drawing,) = draw_charts(read_subject([run]))["scaling"].drawings.values()
        ideals = rows_of(drawing, "ideals")
        assert [row["workers"] for row in ideals] == [1, 2, 8]
        assert len(rows_of(drawing, "points")) == 6
        factors = [row["ideal"] / ideals[0]["ideal"] for row in rows_of(drawing, "points")]
        assert {round(each, 3) for each in factors} == {1.0, 2.5}


def test_scaling_is_drawn_without_an_ideal_where_the_server_answers_at_once() -> None:
    measured = {}
    for workers in (1, 2, 8):
        each = case(workers=workers)
        measured[each] = [
            replace(trial, rounds=tuple(replace(round_, planned_ideal_s=0.0) for round_ in trial.rounds))
            for trial in trials(each, [0.1 / workers, 0.11 / workers, 0.12 / workers])
        ]
    (drawing,) = draw_charts(read_subject([run_of(measured)]))["scaling"].drawings.values()
    assert rows_of(drawing, "ideals") == []
    assert len(rows_of(drawing, "points")) == 3


def test_legend_of_scaling_has_only_the_series_with_lines(subject: Subject) -> None:
    (drawing,) = draw_charts(subject)["scaling"].drawings.values()
    lines = [key.text for key in drawing.legend if key.symbol == "line"]
    assert lines == ["asyncio_gather with aiohttp", "threadpool_map with requests"]


def test_scaling_of_several_runs_is_drawn_over_one_another(two_runs: Subject) -> None:
    (drawing,) = draw_charts(two_runs)["scaling"].drawings.values()
    spec = drawing.spec()
    (name,) = (each["data"]["name"] for each in spec["layer"] if each.get("name") == "points")
    rows = spec["datasets"][name]
    assert [row["side"] for row in rows] == [side for side in two_runs.sides for _ in range(8)]
    first, second = rows[:8], rows[8:]
    assert [row["median"] * 1.1 for row in first] == pytest.approx([row["median"] for row in second])
    texts = [key.text for key in drawing.legend]
    assert {f"run {n + 1}: {side}" for n, side in enumerate(two_runs.sides)} <= set(texts)
    assert f"planned ideal of {two_runs.sides[0]}" in texts
    assert not any("crossover" in text for text in texts)
    assert "scaling" not in draw_charts(read_subject([small_run(), small_run()]))


def test_run_beside_one_without_scaling_is_drawn_without_claims_on_crossovers() -> None:
    (drawing,) = draw_charts(read_subject([full_run(), small_run()]))["scaling"].drawings.values()
    assert "crossover" not in drawing.summary
    assert f"planned ideal of {full_run().name}" in {key.text for key in drawing.legend}


def test_comparison_has_a_note_in_place_of_scaling() -> None:
    cases = tuple(case(workers=workers) for workers in (2, 4, 8))
    run = comparison_run(*cases, elapsed_s=lambda of, block: (0.2 + 0.001 * block) / of.workers)
    kind = draw_charts(read_subject([run]))["scaling"]
    assert not kind.drawings
    assert kind.notes == ("Scaling is not drawn for a comparison: the rounds of its cases differ in length.",)
    assert "scaling" not in draw_charts(read_subject([compared_run()]))


def chart_of_downloads(*runs: Run) -> Drawing:
    """Draw the only chart by number of downloads of these runs."""
    (drawing,) = draw_charts(read_subject(runs))["downloads"].drawings.values()
    return drawing


def with_ideals(run: Run, ideal_s: Callable[[Case], float]) -> Run:
    """Return a run whose cases have these planned ideals."""
    cases = {each.id: each for each in run.cases}
    return replace(
        run,
        trials=tuple(
            replace(
                trial,
                rounds=tuple(
                    replace(round_, planned_ideal_s=ideal_s(cases[trial.case])) for round_ in trial.rounds
                ),
            )
            for trial in run.trials
        ),
    )


def test_downloads_have_the_times_of_the_table(counted: Subject) -> None:
    ((summary,),) = counted.axis_summaries
    rows = count_rows(counted, {"": summary})
    assert [(row["series"], row["downloads"]) for row in rows] == [
        (f"{name} with http_client", count)
        for name in ("sequential", "dask", "threadpool_map")
        for count in COUNTS
    ]
    figures = [each.figures for series in summary.series for each in series.rows.values()]
    for row, found in zip(rows, figures, strict=True):
        assert found is not None
        assert row["median"] == pytest.approx(found.elapsed.estimate * 1000)
        assert row["low"] <= row["median"] <= row["high"]


def test_lines_of_downloads_cross_where_the_crossover_is_marked(counted: Subject) -> None:
    ((summary,),) = counted.axis_summaries
    lines: dict[str, dict[float, float]] = {}
    for row in line_rows(count_rows(counted, {"": summary}), "downloads"):
        lines.setdefault(row["line"], {})[row["downloads"]] = row["median"]
    (crossing,) = crossover_rows(summary.pairs, describe_case)
    one, other = lines["sequential with http_client"], lines["dask with http_client and 8 workers"]
    assert list(one) == list(other) == sorted(one)
    ahead = [place for place in one if one[place] < other[place]]
    behind = [place for place in one if one[place] > other[place]]
    assert 0.9 * crossing["at"] < ahead[-1] <= crossing["high"]
    assert crossing["low"] <= behind[0] < 1.1 * crossing["at"]


def test_crossovers_of_downloads_are_named_with_their_intervals() -> None:
    drawing = chart_of_downloads(counted_run(fixed_s=0.5))
    (row,) = rows_of(drawing, "crossover_intervals")
    assert row["text"] == "crossover: 53"
    assert row["order"] == "dask with http_client and 8 workers overtakes sequential with http_client"
    assert f"{row['order']} at about 53." in drawing.summary
    assert [each["beside"] for each in rows_of(drawing, "crossover_texts")] == [row["high"]]
    assert "crossover" in {key.text for key in drawing.legend}


def test_lines_of_work_begin_at_none_and_cross_where_the_crossover_is_marked(worked: Subject) -> None:
    ((summary,),) = worked.axis_summaries
    points = count_rows(worked, {"": summary})
    assert [row["work"] for row in points] == list(TIMES) * 2
    lines: dict[str, dict[float, float]] = {}
    for row in line_rows(points, "work"):
        lines.setdefault(row["series"], {})[row["work"]] = row["median"]
    threads, processes = lines.values()
    assert list(threads) == list(processes) == sorted(threads)
    assert (min(threads), max(threads)) == (TIMES[0], TIMES[-1])
    (crossing,) = crossover_rows(summary.pairs, describe_case)
    ahead = [place for place in threads if threads[place] < processes[place]]
    assert 0.85 * crossing["at"] < max(ahead) <= crossing["high"]


def test_axis_of_work_is_nearly_logarithmic_and_has_a_zero(worked: Subject) -> None:
    (drawing,) = draw_charts(worked)["work"].drawings.values()
    (points,) = (each for each in drawing.chart.to_dict()["layer"] if each["name"] == "points")
    x = points["encoding"]["x"]
    assert (x["scale"]["type"], x["scale"]["constant"]) == ("symlog", TIMES[1])
    assert x["scale"]["domain"][0] < 0
    assert x["axis"]["values"] == list(TIMES)
    assert x["title"] == "× json (logarithmic)"
    (row,) = rows_of(drawing, "crossover_texts")
    assert row["text"] == "crossover: 12"


@given(st.floats(0, 1e4), st.sampled_from([(0, 1, 10), (0, 7), (1, 10), (0,)]))
def test_places_on_a_scale_of_counts_lead_back_to_their_counts(count: float, counts: tuple[int, ...]) -> None:
    scale = CountScale.over(counts)
    if count > 0 or 0 in counts:
        assert scale.count(scale.position(count)) == pytest.approx(count, abs=1e-9)


def test_late_crossovers_have_their_texts_on_the_left() -> None:
    (row,) = rows_of(chart_of_downloads(counted_run(fixed_s=10.0)), "crossover_texts")
    assert row["beside"] == row["low"] < row["at"]


def test_neighbouring_crossovers_have_lines_of_their_own() -> None:
    costs_s = {"sequential": (0.0, 0.012), "dask": (0.5, 0.0026), "processpool_map": (0.3, 0.004)}
    measured = {
        (each := case_of(name, 4, count)): trials(
            each, [(start_s + count * each_s) * (1 + 0.01 * (block % 5)) for block in range(14)]
        )
        for name, (start_s, each_s) in costs_s.items()
        for count in COUNTS
    }
    rows = rows_of(chart_of_downloads(run_of(measured)), "crossovers")
    assert [row["level"] for row in rows] == [0, 1, 2]
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)


def test_few_blocks_are_drawn_without_intervals_and_crossovers() -> None:
    drawing = chart_of_downloads(counted_run(blocks=3))
    assert rows_of(drawing, "intervals") == rows_of(drawing, "crossovers") == []
    assert "no crossover is shown" in drawing.summary
    assert "crossover" not in {key.text for key in drawing.legend}


def test_lines_of_one_colour_differ_in_their_points() -> None:
    measured = {
        (each := case_of("threadpool_map", workers, count)): trials(each, [count / workers] * 3)
        for workers in (4, 8)
        for count in COUNTS
    }
    drawing = chart_of_downloads(run_of(measured))
    assert [(key.symbol, key.colour, key.text) for key in drawing.legend[:2]] == [
        ("dot", "series-1", "threadpool_map with http_client and 4 workers"),
        ("diamond", "series-1", "threadpool_map with http_client and 8 workers"),
    ]


def test_planned_ideal_of_downloads_is_drawn_if_all_series_share_it() -> None:
    run = counted_run()
    shared = chart_of_downloads(with_ideals(run, lambda of: 0.0001 * of.countries.count))
    rows = rows_of(shared, "ideals")
    assert [rows[place]["downloads"] for place in (0, -1)] == [COUNTS[0], COUNTS[-1]]
    assert all(row["ideal"] == pytest.approx(0.1 * row["downloads"], rel=1e-4) for row in rows)
    assert "planned ideal" in {key.text for key in shared.legend}
    for ideal_s in (lambda of: 0.001 * of.countries.count / of.workers, lambda _: 0.0):
        other = chart_of_downloads(with_ideals(run, ideal_s))
        assert rows_of(other, "ideals") == []
        assert "planned ideal" not in {key.text for key in other.legend}


def test_ideal_that_some_series_lack_is_not_shared() -> None:
    rows = [{"downloads": 20, "ideal": ideal} for ideal in (10.0, None)]
    assert ideal_rows(rows, "downloads") == []
    assert ideal_rows(rows[:1], "downloads") == rows[:1]


def test_downloads_of_several_runs_are_drawn_over_one_another() -> None:
    first = counted_run(fixed_s=0.5)
    drawing = chart_of_downloads(first, replace(counted_run(fixed_s=10.0), name="later"))
    assert [row["side"] for row in rows_of(drawing, "points")] == [first.name] * 9 + ["later"] * 9
    texts = [key.text for key in drawing.legend]
    assert {f"run 1: {first.name}", "run 2: later", f"planned ideal of {first.name}"} <= set(texts)
    assert "crossover" not in "".join((*texts, drawing.summary))
    beside = chart_of_downloads(first, small_run())
    assert {row["side"] for row in rows_of(beside, "points")} == {first.name}


def test_comparison_has_a_note_in_place_of_times_by_downloads() -> None:
    run = comparison_run(
        *(case_of("dask", 8, count) for count in COUNTS),
        elapsed_s=lambda of, block: 0.001 * of.countries.count + 0.0001 * block,
    )
    kind = draw_charts(read_subject([run]))["downloads"]
    assert not kind.drawings
    (note,) = kind.notes
    assert note.startswith("Times by number of downloads are not drawn for a comparison: ")
    run = comparison_run(
        *(worked_case("dask", times) for times in TIMES), elapsed_s=lambda _, block: 1 + block
    )
    (note,) = draw_charts(read_subject([run]))["work"].notes
    assert note.startswith("Times by CPU work on each flag are not drawn for a comparison: ")


def test_profiles_have_charts_of_downloads_of_their_own() -> None:
    near = [case_of("dask", 8, count) for count in COUNTS]
    far = [replace(each, profile=replace(each.profile, name="far")) for each in near]
    run = run_of({each: trials(each, [0.1, 0.2]) for each in (*near, *far)})
    drawings = draw_charts(read_subject([run]))["downloads"].drawings
    assert [drawing.title for drawing in drawings.values()] == ["10ms", "far"]


def test_case_that_mostly_failed_is_left_out_of_downloads_and_counted() -> None:
    worst = case_of("dask", 8, 2_000)
    run = counted_run()
    trials_ = tuple(
        failed(worst, each.block, "timeout", "stopped") if each.case == worst.id and each.block else each
        for each in run.trials
    )
    drawing = chart_of_downloads(replace(run, trials=trials_))
    assert drawing.remark == "1 case that mostly failed is left out."
    places = [(row["series"], row["downloads"]) for row in rows_of(drawing, "points")]
    assert ("dask with http_client", 200) in places
    assert ("dask with http_client", 2_000) not in places
    gone = tuple(failed(each, block, "timeout", "stopped") for each in run.cases for block in range(3))
    assert "downloads" not in draw_charts(read_subject([replace(run, trials=gone)]))


def test_equal_names_of_lines_are_numbered() -> None:
    measured = {(each := case_of(name, 8, 20)): trials(each, [0.1, 0.2]) for name in ("a\x01", "a\x02")}
    lines = {row["line"] for row in rows_of(chart_of_downloads(run_of(measured)), "points")}
    assert len(lines) == 2


def test_ratios_of_two_runs_have_intervals_and_no_verdicts(two_runs: Subject) -> None:
    (ratios,) = two_runs.ratios
    rows = run_ratio_rows(ratios)
    assert len(rows) == CASES
    for row in rows:
        assert row["change"] == pytest.approx(0.1)
        assert row["low"] < row["change"] < row["high"]
        assert row["verdict"] == "no verdict"
        assert row["text"] == "+10%, beyond the noise"
    assert "margin_high" not in rows[0]
    (drawing,) = draw_charts(two_runs)["run-ratios"].drawings.values()
    assert drawing.title == f"{two_runs.sides[1]} against {two_runs.sides[0]}"
    assert "run-ratios" not in draw_charts(read_subject([small_run()]))


def test_cases_that_differ_only_in_their_profile_have_rows_of_their_own() -> None:
    near = case()
    far = replace(near, profile=replace(near.profile, name="far"))
    verdicts = read_subject(
        [comparison_run(near, far, elapsed_s=lambda _, block: 0.1 + block / 1e4)]
    ).verdicts
    assert verdicts is not None
    assert len({row["label"] for row in ratio_rows(verdicts)}) == 2
    runs = [run_of({each: trials(each, [0.03] * 6) for each in (near, far)}) for _ in range(2)]
    (ratios,) = read_subject(runs).ratios
    assert len({row["label"] for row in run_ratio_rows(ratios)}) == 2


def test_ratios_say_when_noise_explains_them_or_blocks_are_too_few() -> None:
    each = case()
    runs = [
        run_of({each: trials(each, times)})
        for times in ([0.030, 0.031, 0.029, 0.032], [0.031, 0.030, 0.033, 0.029], [0.05, 0.06, 0.07])
    ]
    assert [
        row["text"].split(", ")[1] for ratios in read_subject(runs).ratios for row in run_ratio_rows(ratios)
    ] == ["within the noise", "too few blocks"]


def test_variants_of_a_case_share_label_and_colour_and_have_sides(comparison: Subject) -> None:
    (group,) = comparison.groups
    assert comparison.sides == ("main", "worktree")
    assert len(group.labels) == 2
    assert {(row["label"], row["side"]) for row in elapsed_rows(group)} == {
        (label, side) for label in group.labels for side in comparison.sides
    }
    assert comparison.series == ("threadpool_map with requests", "asyncio_gather with aiohttp")


def drawings_of(subject: Subject) -> dict[str, Drawing]:
    """Return all drawings by anchor."""
    return {
        anchor: drawing for kind in draw_charts(subject).values() for anchor, drawing in kind.drawings.items()
    }


@pytest.fixture(scope="module")
def drawn(
    subject: Subject, comparison: Subject, counted: Subject, worked: Subject
) -> Sequence[Mapping[str, Drawing]]:
    """Draw them once for all tests."""
    return [drawings_of(each) for each in (subject, comparison, counted, worked)]


def test_series_have_the_same_colours_in_all_charts(
    subject: Subject, drawn: Sequence[Mapping[str, Drawing]]
) -> None:
    domains = [
        layer["encoding"]["color"]["scale"]["domain"]
        for drawing in drawn[0].values()
        for layer in drawing.chart.to_dict()["layer"]
        if layer["encoding"].get("color", {}).get("field") == "series"
    ]
    assert len(domains) > 12
    assert all(domain == list(subject.series) for domain in domains)


def test_every_chart_of_the_registry_is_drawn_for_some_run(subjects: Mapping[str, Subject]) -> None:
    drawn = {name for each in subjects.values() for name, kind in draw_charts(each).items() if kind.drawings}
    assert drawn == set(CHARTS)


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_says_in_one_sentence_how_to_read_it(name: str) -> None:
    reading = CHARTS[name].reading
    assert reading.endswith(".")
    assert ". " not in reading


def test_run_without_any_timing_has_only_its_failures() -> None:
    broken = case()
    run = run_of({broken: [failed(broken, block, "crash", "signal 9") for block in range(3)]})
    assert list(draw_charts(read_subject([run]))) == ["failed-trials"]


def test_second_profile_has_charts_of_its_own() -> None:
    near = case()
    far = replace(near, profile=replace(near.profile, name="far"))
    run = run_of({each: trials(each, [0.03, 0.031]) for each in (near, far)})
    drawings = drawings_of(read_subject([run]))
    assert {"elapsed", "elapsed-2"} <= drawings.keys()
    assert [drawings[anchor].title for anchor in ("elapsed", "elapsed-2")] == ["20ms", "far"]
    assert find_chart(read_subject([run]), "elapsed-2")[1].title == "far"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("elapsd", "there is no chart 'elapsd'"),
        ("elapsed-2", "there is no chart 'elapsed-2'"),
        ("elapsed-0", "there is no chart 'elapsed-0'; there are elapsed"),
        ("elapsed-²", "there is no chart 'elapsed-²'"),
        pytest.param(f"elapsed-{'9' * 5000}", "there is no chart 'elapsed-9", id="long number"),
        ("elapsed-", "there is no chart 'elapsed-'"),
        ("-2", "there is no chart '-2'"),
        ("ratios", "no data for the chart ratios"),
    ],
)
def test_unknown_chart_is_refused(subject: Subject, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        find_chart(subject, name)


def test_comparison_is_not_laid_over_other_runs() -> None:
    with pytest.raises(UsageError, match="cannot be laid over other runs"):
        read_subject([small_run(), compared_run()])


def test_equal_names_of_cases_are_numbered() -> None:
    cases = [case("a\x01"), case("a\x02")]
    (group,) = read_subject([run_of({each: trials(each, [0.03, 0.031]) for each in cases})]).groups
    assert len(group.labels) == 2


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_and_marks_can_be_seen(palette: Palette) -> None:
    for text in ("ink", "muted", "link", "good", "bad", "warn", "equal"):
        for ground in ("paper", "panel"):
            assert contrast(palette[text], palette[ground]) >= 4.5, (text, ground)
    marks = [name for name in palette if name.startswith(("series-", "part-"))]
    assert len(marks) == 19
    for mark in (*marks, *map(verdict_colour, VERDICT_ORDER)):
        assert contrast(palette[mark], palette["paper"]) >= 3, mark


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_of_series_parts_and_verdicts_have_one_meaning(palette: Palette) -> None:
    names = [name for name in palette if name.startswith(("series-", "part-"))]
    names += map(verdict_colour, VERDICT_ORDER)
    assert len({palette[name] for name in names}) == len(names) == 23


def test_equivalent_has_one_colour_in_charts_and_tables() -> None:
    """Rows of the table have tones, of which *good* is that of equivalent metrics."""
    style = (files("bench.report.html") / "page.css").read_text("utf-8")
    assert f"tr.good > * {{ color: var(--{verdict_colour('equivalent')}); }}" in style
    assert f"tr.best > * {{ color: var(--{verdict_colour('faster')}); " in style


def test_legend_follows_the_order_of_the_rows(subject: Subject) -> None:
    (drawing,) = draw_charts(subject)["elapsed"].drawings.values()
    (group,) = subject.groups
    order = list(dict.fromkeys(each.series for each in group.timed))
    assert [key.text for key in drawing.legend][: len(order)] == order
    assert order != list(subject.series)


def test_discarded_trials_are_explained_where_there_are_some(subject: Subject) -> None:
    (drawing,) = draw_charts(subject)["drift"].drawings.values()
    assert drawing.remark == "A cross is a trial that was discarded."
    assert "cross" not in CHARTS["drift"].reading
    (drawing,) = draw_charts(read_subject([small_run()]))["drift"].drawings.values()
    assert drawing.remark == ""


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return math.fsum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_thinned_values_keep_both_extremes() -> None:
    values = [float(each) for each in range(100)]
    assert thin_values(values, 5) == [0, 25, 50, 74, 99]
    assert thin_values([3.0, 1.0], 5) == [1.0, 3.0]


def test_cumulative_shares_end_with_the_greatest_value() -> None:
    assert cumulative_shares([3.0, 1.0, 2.0, 4.0], 10) == [(1.0, 0.25), (2.0, 0.5), (3.0, 0.75), (4.0, 1.0)]
    points = cumulative_shares([float(each) for each in range(1000)], 11)
    assert len(points) == 11
    assert points[-1] == (999.0, 1.0)


def test_picture_is_drawn_with_the_colours_of_the_theme_and_no_variable(subject: Subject) -> None:
    kind, drawing = find_chart(subject, "elapsed")
    svg = draw_picture(kind, drawing, "facts of the run", "svg")
    assert isinstance(svg, str)
    assert "var(" not in svg
    assert LIGHT["series-1"] in svg
    texts = ET.fromstring(svg).iter(f"{SVG}text")  # noqa: S314  we wrote it
    words = {node.text for node in texts}
    assert {"Elapsed time", "facts of the run", "elapsed time, ms"} <= words
    assert {key.text for key in drawing.legend} <= words
    png = draw_picture(kind, drawing, "facts of the run", "png")
    assert isinstance(png, bytes)
    assert png.startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def subjects(
    subject: Subject, comparison: Subject, two_runs: Subject, counted: Subject, worked: Subject
) -> Mapping[str, Subject]:
    """The subjects of charts that not every run has, and of all others."""
    return {
        "": subject,
        "ratios": comparison,
        "thresholds": comparison,
        "run-ratios": two_runs,
        "downloads": counted,
        "work": worked,
    }


@pytest.mark.parametrize("name", CHARTS)
def test_picture_has_the_whole_legend_within_its_frame(subjects: Mapping[str, Subject], name: str) -> None:
    of = subjects.get(name, subjects[""])
    kind, drawing = find_chart(of, name)
    svg = draw_picture(kind, drawing, "facts of the run", "svg")
    assert isinstance(svg, str)
    root = ET.fromstring(svg)  # noqa: S314  we wrote it
    height, width = float(root.attrib["height"]), float(root.attrib["width"])
    legend = root[-1]
    assert [node.text for node in legend.iter(f"{SVG}text")] == [key.text for key in drawing.legend]
    places = [
        tuple(map(float, re.findall(r"[\d.]+", node.attrib["transform"])))
        for node in legend.iter(f"{SVG}g")
        if "transform" in node.attrib
    ]
    (_, top), *entries = places
    assert len(entries) == len(drawing.legend) > 0
    for (x, y), key in zip(entries, drawing.legend, strict=True):
        assert x + 29 + 6 * len(key.text) < width
        assert top + y + 12 < height


def test_hostile_legend_of_a_picture_is_text() -> None:
    run = run_named(['<script>alert("1")</script>', "a & b", "c"])
    kind, drawing = find_chart(read_subject([run]), "elapsed")
    svg = draw_picture(kind, drawing, "", "svg")
    assert isinstance(svg, str)
    root = ET.fromstring(svg)  # noqa: S314  we wrote it
    assert not list(root.iter(f"{SVG}script"))
    assert any("<script>" in (node.text or "") for node in root[-1].iter(f"{SVG}text"))


def test_specifications_are_valid_and_load_nothing(drawn: Sequence[Mapping[str, Drawing]]) -> None:
    for drawings in drawn:
        for anchor, drawing in drawings.items():
            spec: dict[str, Any] = drawing.chart.to_dict(validate=True)
            assert "url" not in json.dumps(spec), anchor


def test_layers_without_data_are_left_out() -> None:
    """Two blocks have no interval; Vega would warn of scales without an end."""
    run = run_of(
        {case(workers=workers): trials(case(workers=workers), [0.03, 0.031]) for workers in (1, 2, 8)}
    )
    for anchor, drawing in drawings_of(read_subject([run])).items():
        spec = drawing.spec()
        names = [layer.get("data", spec.get("data"))["name"] for layer in spec["layer"]]
        assert names, anchor
        assert all(spec["datasets"][name] for name in names), anchor


def test_rows_have_every_field_that_their_marks_are_drawn_by(drawn: Sequence[Mapping[str, Drawing]]) -> None:
    for drawings in drawn:
        for anchor, drawing in drawings.items():
            spec = drawing.chart.to_dict()
            for layer in spec["layer"]:
                rows = spec["datasets"][layer.get("data", spec.get("data"))["name"]]
                channels = layer["encoding"].values()
                fields = {
                    field["field"]
                    for channel in channels
                    for field in (channel if isinstance(channel, list) else [channel])
                    if "field" in field
                }
                assert all(fields <= row.keys() for row in rows), (anchor, layer["name"], fields)
