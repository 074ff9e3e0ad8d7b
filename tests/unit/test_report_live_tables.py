"""The drawing of a run or a comparison that is still measured: order of rows, intervals, and height."""

import io
from dataclasses import replace

import pytest
from rich.console import Console, RenderableType

from bench.model.cases import Case
from bench.model.observer import MetricState, Stop
from bench.report import live_tables, terminal
from bench.report.live_tables import Head, LiveCase, draw_comparison, draw_interval, draw_run
from bench.report.table import Table
from bench.stats.intervals import Interval
from tests.builders import case
from tests.comparisons import new_comparison

HEAD = Head("block 3 of 10", 12, 40, "12 of 40 trials, about 1 min left", "threads_queue/requests/3/local")
SIZES = [(80, 24), (200, 50), (40, 10), (80, 6), (80, 3), (80, 2), (10, 5)]


def measured_at(profile: str, strategy: str = "threadpool_map") -> Case:
    """Build a case with a profile of this name."""
    of = case(strategy)
    return replace(of, profile=replace(of.profile, name=profile))


def lines_of(drawing: RenderableType, console: Console) -> list[str]:
    rendered = console.render_lines(drawing, pad=False)
    return ["".join(segment.text for segment in line).rstrip() for line in rendered]


def console_of(width: int = 100, height: int = 40) -> Console:
    return Console(file=io.StringIO(), width=width, height=height, color_system=None)


def test_cases_of_a_run_are_sorted_the_fastest_first_and_those_without_a_time_last() -> None:
    console = console_of()
    cases = [
        LiveCase(case("processpool_map"), ()),
        LiveCase(case(), [0.2] * 8),
        LiveCase(case("asyncio_gather", "aiohttp"), [0.1, 0.11, 0.09, 0.1, 0.1, 0.1, 0.1, 0.1]),
    ]
    lines = lines_of(draw_run(HEAD, cases, console), console)
    rows = [line.split() for line in lines if "_" in line and "now:" not in line]
    assert [row[0] for row in rows] == ["asyncio_gather", "threadpool_map", "processpool_map"]
    assert rows[0][1:7] == ["aiohttp", "3", "100", "ms", "±", "10%"]
    assert rows[2][-1] == "0"


def test_states_of_cases() -> None:
    console = console_of()
    here = case("threads_queue")
    head = replace(HEAD, now=here.id)
    cases = [
        LiveCase(here, [0.1]),
        LiveCase(case("asyncio_gather"), [0.2], stop=Stop("precise", 8)),
        LiveCase(case("sequential"), [], has_failed=True, stop=Stop("given up", 3)),
    ]
    lines = lines_of(draw_run(head, cases, console), console)
    by_name = {line.split()[0]: line for line in lines if line}
    assert by_name["threads_queue"].endswith("measuring")
    assert by_name["asyncio_gather"].endswith("precise enough")
    (failed_row,) = [line for line in lines if "sequential" in line]
    assert failed_row.endswith("given up")


def test_state_of_a_disturbed_case() -> None:
    console = console_of()
    lines = lines_of(draw_run(HEAD, [LiveCase(case(), [0.1], stop=Stop("disturbed", 3))], console), console)
    assert lines[-1].endswith("disturbed")


def test_conditions_of_a_run_have_a_heading_each() -> None:
    console = console_of()
    near, far = case(), measured_at("far")
    lines = lines_of(draw_run(HEAD, [LiveCase(near, [0.1]), LiveCase(far, [0.2])], console), console)
    assert near.profile.name in lines
    assert "far" in lines


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("conditions", [1, 3, 40])
def test_drawing_of_a_run_is_never_taller_than_the_screen(width: int, height: int, conditions: int) -> None:
    console = console_of(width, height)
    cases = [
        LiveCase(measured_at(f"profile-{number}", strategy), [0.1] * 8)
        for number in range(conditions)
        for strategy in ("sequential", "threadpool_map", "threads_queue", "asyncio_gather", "asyncio_queue")
    ]
    lines = lines_of(draw_run(HEAD, cases, console), console)
    assert 1 <= len(lines) < height
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("conditions", [1, 3])
def test_no_room_is_left_for_a_row_that_is_missing(conditions: int) -> None:
    cases = [
        LiveCase(measured_at(f"at {place}", f"strategy_{number}"), [0.1 + number / 100])
        for number in range(30)
        for place in range(conditions)
    ]
    left_out = []
    for height in (20, 21, 22, 23, 35, 49):
        console = console_of(height=height)
        lines = lines_of(draw_run(HEAD, cases, console), console)
        left_out.append(any("more" in line for line in lines))
        assert len(lines) < height
        assert not left_out[-1] or height - 1 - len(lines) < conditions
    assert left_out[0]
    assert left_out[-1] == (conditions > 1)


def test_what_does_not_fit_is_counted() -> None:
    console = console_of(height=12)
    cases = [LiveCase(case(f"strategy_{number}"), [0.1 + number / 100] * 8) for number in range(30)]
    lines = lines_of(draw_run(HEAD, cases, console), console)
    shown = sum("strategy_" in line for line in lines)
    assert shown > 2
    assert any(f"… {30 - shown} more" in line for line in lines)


@pytest.mark.parametrize(
    ("ratio", "drawn"),
    [
        (None, "        │   ┊   │        "),
        (Interval(1.0, None, None), "        │   ●   │        "),
        (Interval(1.0, 1 / 1.05, 1.05), "        ━━━━●━━━━        "),
        (Interval(1.05, 1.0, 1.05**2), "        │   ━━━━●━━━━    "),
        (Interval(1.05**4, 1.05**2, 1.05**8), "        │   ┊   │   ━━━━▸"),
        (Interval(0.5, 0.4, 0.6), "◂       │   ┊   │        "),
        (Interval(1.0, 0.1, 9.0), "◂━━━━━━━━━━━●━━━━━━━━━━━▸"),
    ],
)
def test_interval_is_drawn_on_a_scale_of_three_margins(ratio: Interval | None, drawn: str) -> None:
    assert draw_interval(ratio, 0.05) == drawn


def test_cases_with_undecided_metrics_come_first() -> None:
    console = console_of(120)
    first, second = case(), case("asyncio_gather", "aiohttp")
    comparison = new_comparison(first, second)
    metrics = [
        MetricState(first.id, "elapsed", "slower", 1.08, 1.06, 1.1, 14),
        MetricState(second.id, "elapsed", None, 1.01, None, None, 13),
    ]
    head = replace(HEAD, now=second.id)
    lines = lines_of(draw_comparison(head, comparison, metrics, {}, console), console)
    places = [next(n for n, line in enumerate(lines) if line.startswith(each.id)) for each in (second, first)]
    assert places == sorted(places)
    rows = [line.split() for line in lines if line.strip().startswith("elapsed")]
    assert rows[0][-1] == "measuring"
    assert rows[1][-1] == "slower"


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_drawing_of_a_comparison_is_never_taller_than_the_screen(width: int, height: int) -> None:
    console = console_of(width, height)
    cases = [case(f"strategy_{number}") for number in range(20)]
    metrics = [
        MetricState(each.id, metric, None, 1.01, 0.9, 1.1, 13)
        for each in cases
        for metric in ("elapsed", "p99", "cpu", "memory")
    ]
    lines = lines_of(draw_comparison(HEAD, new_comparison(*cases), metrics, {}, console), console)
    assert 1 <= len(lines) < height
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(("width", "height"), [*SIZES, (80, 50), (200, 70), (30, 50)])
@pytest.mark.parametrize("number", [1, 20, 60])
def test_few_drawings_are_tried(
    width: int, height: int, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes a millisecond for a row, before every trial."""
    sizes: list[int] = []

    def lay_out(table: Table, width: int) -> RenderableType:
        sizes.append(sum(len(section.rows) for section in table.sections))
        return terminal.lay_out(table, width)

    monkeypatch.setattr(live_tables, "lay_out", lay_out)
    console = console_of(width, height)
    cases = [case(f"strategy_{each}") for each in range(number)]
    metrics = [MetricState(each.id, "elapsed", None, 1.01, 0.9, 1.1, 13) for each in cases]
    draw_comparison(HEAD, new_comparison(*cases), metrics, {}, console)
    assert len(sizes) <= 8
    assert number == 1 or max(sizes) <= 2 * height
    sizes.clear()
    draw_run(HEAD, [LiveCase(each, [0.1]) for each in cases], console)
    assert len(sizes) <= 8
    assert number == 1 or max(sizes) <= 2 * height
