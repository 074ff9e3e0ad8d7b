"""Mark in a chart over counts where one series overtakes another."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

import altair as alt

from bench.report.crossover_lines import describe_order
from bench.report.html.count_lines import CountAxes
from bench.report.html.drawing import DataRow, Key, data
from bench.report.number_format import format_interval, format_ratio
from bench.stats.crossover import SeriesPair

Name = TypeVar("Name", bound=Hashable)

_LEVELS: Final = 6
"""Lines of text below the upper edge, so that texts of neighbours do not lie over one another."""
_LINE_HEIGHT: Final = 15
"""Pixels."""


def crossover_rows(
    pairs: Iterable[SeriesPair[Name]],
    describe: Callable[[Name], str],
    write: Callable[[float], str] = format_ratio,
) -> list[DataRow]:
    """Return a row for each place where one series overtakes another, bounds included, ascending.

    Args:
        pairs: of all series of a chart.
        describe: names a series.
        write: formats the place of a crossover.
    """
    found: list[DataRow] = [
        {
            "at": crossover.at.estimate,
            "low": crossover.at.low,
            "high": crossover.at.high,
            "text": f"crossover: {write(crossover.at.estimate)}",
            "interval": format_interval(crossover.at, write, " to "),
            "order": describe_order(pair, crossover, describe),
        }
        for pair in pairs
        for crossover in pair.crossovers
        if crossover.at is not None
    ]
    found.sort(key=lambda row: row["at"])
    return [{**row, "level": number % _LEVELS} for number, row in enumerate(found)]


def crossover_keys(rows: Sequence[DataRow]) -> Iterator[Key]:
    """Yield the legend of the marks of these rows; that of intervals is the one of all charts."""
    if rows:
        yield Key("tick", "muted", "crossover")


def crossover_marks(rows: Sequence[DataRow], axes: CountAxes) -> list[alt.Chart]:
    """Draw an upright line for each crossover, and at its upper end its interval and its place."""
    tooltip = [
        alt.Tooltip("order:N", title="crossover"),
        alt.Tooltip("text:N", title="median"),
        alt.Tooltip("interval:N", title="95% interval"),
    ]
    y = alt.value(alt.expr(f"{_LINE_HEIGHT} * (datum.level + 0.5)"))
    rules = (
        alt.Chart(data(rows), name="crossovers")
        .mark_rule(style="quiet-line", strokeDash=[2, 3], aria=False)
        .encode(x=axes.x("at"), tooltip=tooltip)
    )
    bars = (
        alt.Chart(data(row for row in rows if row["low"] is not None), name="crossover_intervals")
        .mark_rule(style="quiet-line", strokeWidth=4, opacity=0.6, aria=False)
        .encode(x=axes.x("low"), x2="high:Q", y=y, tooltip=tooltip)
    )
    texts = (
        alt.Chart(data(_place_texts(rows, axes)), name="crossover_texts")
        .mark_text(
            style="quiet",
            align=alt.expr("datum.is_late ? 'right' : 'left'"),
            dx=alt.expr("datum.is_late ? -6 : 6"),
            aria=False,
        )
        .encode(x=axes.x("beside"), y=y, text="text:N", tooltip=tooltip)
    )
    return [rules, bars, texts]


def _place_texts(rows: Sequence[DataRow], axes: CountAxes) -> Iterator[DataRow]:
    """Place texts on the side of their intervals where there is more room."""
    middle = axes.scale.between(axes.counts[0], axes.counts[-1], 0.5)
    for row in rows:
        is_late = row["at"] > middle
        end = row["low"] if is_late else row["high"]
        yield {**row, "is_late": is_late, "beside": row["at"] if end is None else end}
