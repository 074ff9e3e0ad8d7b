"""Tests of the table of the history: bars, rows that fit into 80 columns, and ASCII without Unicode."""

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from bench.report.history_table import history_tables
from bench.report.sparkline import BARS, BREAK, draw_bars, draw_series
from bench.report.terminal import print_tables
from bench.stats.history import HistoryTrack, Point, PointOrder, Step, history_tracks
from bench.storage.pinned_reference import Reference
from bench.system.console_encoding import use_stand_ins
from tests.histories import noisy, point

LONG = "threadpool_as_completed/requests/200/lognormal-50ms-300ms/close"
PINNED = Reference("b" * 40, "2026-01-24", "the release of January")
POINTS = (
    *(point(number, ratio) for number, ratio in enumerate(noisy([1.0] * 15 + [1.05] * 20))),
    *(point(number, ratio, metric="p99") for number, ratio in enumerate(noisy([1.0] * 35, 2, 0.03))),
    *(
        point(number, ratio, case=LONG, metric="memory")
        for number, ratio in enumerate(noisy([1.0] * 10 + [14.5] * 12, 3))
    ),
    *(
        point(number, ratio, case=LONG, metric="memory", reference="b" * 40)
        for number, ratio in enumerate(noisy([1.0] * 6, 4), 22)
    ),
    *(replace(point(number, case=LONG, metric="cpu"), low=None, high=None) for number in range(4)),
)


def print_history(tracks: Sequence[HistoryTrack], reference: Reference | None, console: Console) -> None:
    """Print tracks as `history` does."""
    print_tables(history_tables(tracks, reference, console.width, full=True), console)


def printed(points: tuple[Point, ...], width: int = 80, encoding: str = "utf-8") -> str:
    """Print a history as into a pipe of this width and encoding."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding)
    use_stand_ins(stream)
    console = Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
    print_history(history_tracks(points), PINNED, console)
    stream.flush()
    return written.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [80, 160])
def test_history_matches_its_snapshot(width: int, snapshot: SnapshotAssertion) -> None:
    """Read the snapshot when it changes: it is what a user sees."""
    assert printed(POINTS, width) == snapshot


def test_no_row_is_wrapped_or_cut_at_80_columns() -> None:
    """With great changes, wide bounds, many points and a step in every row."""
    many = [1.0] * 40 + [0.01] * 80
    wide = tuple(
        replace(point(number, ratio, case=LONG, metric="elapsed"), low=0.0051 * ratio, high=123.0 * ratio)
        for number, ratio in enumerate(noisy(many, 5))
    )
    text = printed((*POINTS, *wide))
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    rows = [line for line in text.splitlines() if line.startswith("  ") and line.split()[0] != "last"]
    assert sum(row.split()[0] in {"elapsed", "p99", "memory", "cpu"} for row in rows) == 5


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "cp1252"])
def test_console_without_bars_gets_stand_ins_of_the_same_width(encoding: str) -> None:
    lines, expected = printed(POINTS, encoding=encoding).splitlines(), printed(POINTS).splitlines()
    assert "\\" not in "".join(lines)
    assert {"#", "|"} <= set("".join(lines))
    # rules of tables are one cell shorter or longer where rich draws its own ASCII box
    figures = [(line, full) for line, full in zip(lines, expected, strict=True) if set(full) - set("─ ")]
    assert [len(line) for line, _ in figures] == [len(full) for _, full in figures]


def test_machines_are_named_if_there_are_several() -> None:
    assert "machine" not in printed(POINTS)
    text = printed((point(0), point(1, fingerprint="1" * 64)))
    assert "machine 111111111111" in text
    assert "machine ffffffffffff" in text


def test_settings_are_named_if_a_case_had_several() -> None:
    """Other cases always have other settings."""
    assert "settings" not in printed((*POINTS, point(0, case="other", settings="6" * 16)))
    text = printed((point(0), point(1, settings="6" * 16)))
    assert "settings 5555555" in text
    assert "settings 6666666" in text


def test_control_characters_of_a_history_are_replaced() -> None:
    bad = "\x1b[2J\r\n"
    points = (replace(point(0, case=f"a{bad}"), config=bad), replace(point(1), config="x", settings=bad))
    stream = io.StringIO()
    console = Console(file=stream, width=80, highlight=False, markup=False, emoji=False)
    print_history(history_tracks(points), replace(PINNED, why=bad), console)
    assert "\x1b" not in stream.getvalue()
    assert "\r" not in stream.getvalue()


def test_steps_in_doubt_are_named() -> None:
    (track,) = history_tracks(
        point(number, ratio) for number, ratio in enumerate(noisy([1.0] * 9 + [1.05] * 9))
    )
    (series,) = track.series
    doubtful = replace(track, series=(replace(series, wanders=True),))
    stream = io.StringIO()
    print_history([doubtful], PINNED, Console(file=stream, width=160))
    assert f"? elapsed of {track.case}: points resemble their neighbours" in stream.getvalue()


@pytest.mark.parametrize(("order", "other"), [("commits", "measuring"), ("measuring", "commits")])
def test_step_that_one_order_shows_is_named_with_it(order: PointOrder, other: PointOrder) -> None:
    (track,) = history_tracks(point(number, 1.0) for number in range(3))
    step = Step(track.series[0].points[1], 1.05, 0.001, order)
    doubtful = replace(track, series=(replace(track.series[0], unconfirmed=(step,)),))
    stream = io.StringIO()
    print_history([doubtful], PINNED, Console(file=stream, width=200))
    assert f"looks like a step in the order of {order} but not of {other}" in stream.getvalue()


def test_history_without_a_reference_says_how_to_pin_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["flagbench"])
    stream = io.StringIO()
    print_history(history_tracks(POINTS), None, Console(file=stream, width=80))
    assert "No reference is pinned; `flagbench history pin` does that." in stream.getvalue()


def test_bars_reach_from_the_least_to_the_greatest() -> None:
    """Values that hardly differ get bars of middle height."""
    assert draw_bars([0, 1, 2, 3, 4, 5, 6, 7], 1) == BARS
    assert draw_bars([1.0, 1.0], 0.05) == BARS[4] * 2
    assert set(draw_bars([0.0, 0.001, -0.001], 0.05)) <= {BARS[3], BARS[4]}


def test_many_values_are_thinned_to_medians_and_keep_their_break() -> None:
    """A spike does not show among them, a step does."""
    step = [0.0] * 50 + [1.0] * 50
    step[20] = 50.0
    assert draw_series([step], 0.05, 10) == BARS[0] * 5 + BARS[-1] * 5
    assert draw_series([[0.0] * 30, [1.0, 2.0]], 0.05, 10).count(BREAK) == 1


@given(
    st.lists(st.lists(st.floats(-5, 5), min_size=1, max_size=60), min_size=1, max_size=30),
    st.integers(4, 60),
)
def test_bars_never_take_more_than_their_width(series: list[list[float]], width: int) -> None:
    """If all values have room, all are drawn."""
    drawn = draw_series(series, 0.05, width)
    assert 1 <= len(drawn) <= width
    if sum(map(len, series)) + len(series) - 1 <= width and len(series) <= width // 4:
        assert len(drawn) == sum(map(len, series)) + len(series) - 1
