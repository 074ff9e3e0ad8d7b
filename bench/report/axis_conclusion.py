"""Say what a run has found along an axis: crossovers, and the fastest case at each value."""

from collections.abc import Iterator
from typing import Final

from bench.model.text import plural
from bench.report.case_label import describe_case
from bench.report.crossover_lines import crossover_lines
from bench.report.number_format import format_count, format_duration
from bench.stats.ranking import Ranking
from bench.stats.series_over_axis import AxisSummary

_WHOLE_FROM: Final = 9.95
"""Rounds up to ten from here."""


def axis_crossovers(summary: AxisSummary) -> Iterator[str]:
    """Yield the sentences on where one series overtakes another."""
    axis = summary.axis
    return crossover_lines(summary.pairs, axis.unit, axis.any_value, describe_case, format_place)


def axis_conclusion(summary: AxisSummary) -> Iterator[str]:
    """Yield the sentences on crossovers, and one for each value with its fastest case."""
    yield from axis_crossovers(summary)
    for value, ranking in summary.rankings.items():
        yield f"With {summary.axis.describe(value)}, {_name_fastest(ranking)}."


def format_place(value: float) -> str:
    """Write the place of a crossover: a whole number, below ten with a tenth."""
    return format_count(value) if value >= _WHOLE_FROM else f"{value:.1f}"


def _name_fastest(ranking: Ranking) -> str:
    """Name the fastest case and its time, and say how sure its place is."""
    best = next((row for row in ranking.rows if row.case.id == ranking.fastest), None)
    if best is None or best.figures is None:
        return "no case yielded a timing"
    found = f"{describe_case(best.case)} was fastest at {format_duration(best.figures.elapsed.estimate)}"
    return "; ".join((found, *_doubts(ranking)))


def _doubts(ranking: Ranking) -> Iterator[str]:
    """Count the cases that the fastest is not shown to be ahead of."""
    for cases, doubt in (
        (ranking.equivalent, "it is practically equal to"),
        (ranking.inconclusive, "it cannot be told from"),
        (ranking.untestable, "there are too few blocks to tell it from"),
    ):
        if cases:
            yield f"{doubt} {plural(len(cases), 'other case')}"
