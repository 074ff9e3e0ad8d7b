"""Tests of the formats of figures."""

from typing import get_args

import pytest

from bench.model.comparison import BoundedFigure, Verdict
from bench.report.number_format import (
    TimeUnit,
    format_change,
    format_change_interval,
    format_duration,
    format_figure,
    format_small_percent,
    format_speedup,
)
from bench.stats.intervals import Interval
from bench.stats.pairwise import PairVerdict


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0312, "31.2 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1.234, "1.23 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (61.0, "1 min 1 s"),
    ],
)
def test_durations_have_three_digits_and_a_unit(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_times_of_a_column_are_in_milliseconds_if_one_is_below_a_second() -> None:
    assert TimeUnit.for_shortest(0.043).format(0.04312) == "43.1"
    assert TimeUnit.for_shortest(0.043).format(25.012) == "25,012"
    assert TimeUnit.for_shortest(1.0).format(12.345) == "12.3"
    assert TimeUnit.for_shortest(1.0).format(1.2345) == "1.23"


@pytest.mark.parametrize(
    ("estimate", "verdict", "text"),
    [
        (2.0, "faster", "2.00"),
        (0.5, "slower", "0.50"),
        (1.1, "inconclusive", "≈1.10"),
        (123.4, "faster", "123"),
    ],
)
def test_speedup_that_may_be_none_is_marked(estimate: float, verdict: Verdict, text: str) -> None:
    """The verdict over all rows decides, not the interval of one."""
    own = Interval(estimate, estimate * 0.95, estimate * 1.05)
    assert format_speedup(PairVerdict(own, 0.01, 10, verdict)) == text


@pytest.mark.parametrize(
    ("part", "text"),
    [(0.0123, "1.2%"), (0.0999, "10%"), (0.47, "47%"), (2.13, "213%"), (0.0004, "0.04%"), (1e-9, "0.00%"),
     (-0.0301, "-3.0%")],
)  # fmt: skip
def test_small_percents_have_two_digits(part: float, text: str) -> None:
    assert format_small_percent(part) == text


def test_changes_have_a_sign() -> None:
    assert [format_change(each) for each in (1.05, 0.95, 1.0, 1.004, 2.5)] == [
        "+5.0%",
        "−5.0%",
        "+0.00%",
        "+0.40%",
        "+150%",
    ]
    assert format_change_interval(Interval(1.0, 0.99, 1.02)) == "−1.0% to +2.0%"
    assert format_change_interval(Interval(1.0, None, None)) == format_change_interval(None) == "–"


@pytest.mark.parametrize("figure", get_args(BoundedFigure))
def test_every_bounded_figure_has_a_unit_or_is_a_count(figure: BoundedFigure) -> None:
    expected = {"memory": "0.0 MiB", "efficiency": "100%", "errors": "1"}
    assert format_figure(figure, 1.0) == expected.get(figure, "1 s")
