"""Cumulative distributions: elapsed times of rounds, and latencies of single fetches."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import altair as alt

from bench.model.latency_histogram import latency_quantiles
from bench.model.text import plural
from bench.report.html.drawing import (
    DASHES,
    DataRow,
    Drawing,
    Key,
    case_tooltip,
    colour_series,
    data,
    identity,
    layers,
    series_keys,
    side_name,
)
from bench.report.html.subject import Group, ShownCase, Subject
from bench.report.html.thinning import cumulative_shares
from bench.report.number_format import TimeUnit

_ALL_CASES: Final = 8
"""Up to so many cases, each has a line; of more, only the fastest of each series."""
_MOST_LINES: Final = 12
"""Lines in one chart, for each side."""
_LINES_OF_PAGE, _LEAST_LINES = 36, 3
"""Lines of all charts of a kind, for each side, and those that the chart of a profile has in any case."""
_MOST_POINTS: Final = 150
_SHARES: Final = tuple(sorted({0.001, 0.995, 0.999, 1.0, *(place / 100 for place in range(1, 100))}))
"""Shares at which latencies are read: closer together where tails begin."""


def elapsed_distribution_rows(group: Group) -> list[DataRow]:
    """Return points of the distribution of the timed rounds of each drawn case."""
    return [
        {**identity(shown), "value": value * group.unit.per_second, "share": share}
        for shown in drawn_cases(group)
        for value, share in cumulative_shares(
            [round_.elapsed_s for trial in shown.good for round_ in trial.rounds], _MOST_POINTS
        )
    ]


def latency_distribution_rows(group: Group) -> list[DataRow]:
    """Return points of the distribution of the latencies of each drawn case, in milliseconds."""
    rows: list[DataRow] = []
    for shown in drawn_cases(group):
        quantiles_s = latency_quantiles((trial.latency for trial in shown.good), _SHARES)
        rows += [
            {**identity(shown), "value": value_s * 1000, "share": share}
            for share, value_s in zip(_SHARES, quantiles_s, strict=False)
        ]
    return rows


def drawn_cases(group: Group) -> tuple[ShownCase, ...]:
    """Return the cases that distributions are drawn of, the fastest first.

    They are all of a few cases, else the fastest of each series.
    """
    labels = group.labels
    most = min(_MOST_LINES, group.share_of(_LINES_OF_PAGE, least=_LEAST_LINES))
    if len(labels) > min(_ALL_CASES, most):
        fastest: dict[str, str] = {}
        for each in group.timed:
            fastest.setdefault(each.series, each.label)
        labels = list(fastest.values())[:most]
    return tuple(each for each in group.timed if each.label in labels)


def draw_elapsed_distribution(subject: Subject) -> Iterator[Drawing]:
    """Draw the distribution of the elapsed times of each profile."""
    for group in subject.groups:
        yield from _draw(subject, group, elapsed_distribution_rows, group.unit, "elapsed time of a round")


def draw_latency_distribution(subject: Subject) -> Iterator[Drawing]:
    """Draw the distribution of the latencies of each profile."""
    milliseconds = TimeUnit("ms", 1000.0)
    for group in subject.groups:
        yield from _draw(subject, group, latency_distribution_rows, milliseconds, "latency of a fetch")


def _draw(
    subject: Subject,
    group: Group,
    rows_of: Callable[[Group], list[DataRow]],
    unit: TimeUnit,
    what: str,
) -> Iterator[Drawing]:
    rows = rows_of(group)
    if not rows:
        return
    cases = drawn_cases(group)
    names, dash_keys = _dashes(subject, cases)
    dashed = [{**row, "dash": names[row["label"], row.get("side", "")]} for row in rows]
    domain = [key.text for key in dash_keys] or [""]
    dashes = [list(DASHES[key.symbol]) for key in dash_keys] or [[1, 0]]
    lines = (
        alt.Chart(data(dashed), name="lines")
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X(
                "value:Q",
                title=f"{what}, {unit.name}",
                scale=alt.Scale(type="linear", zero=False, nice=True),
            ),
            y=alt.Y("share:Q", title="share of all", axis=alt.Axis(format="%", grid=True, tickCount=5)),
            color=colour_series(subject),
            strokeDash=alt.StrokeDash(
                "dash:N",
                scale=alt.Scale(domain=domain, range=dashes),
                legend=alt.Legend(title=None) if dash_keys else None,
            ),
            detail=["label:N", *(["side:N"] if len(subject.sides) > 1 else [])],
            tooltip=[
                *case_tooltip(subject),
                alt.Tooltip("value:Q", title=unit.name, format=",.4~g"),
                alt.Tooltip("share:Q", title="share up to here", format=".1%"),
            ],
        )
    )
    yield Drawing(
        layers(lines),
        group.title,
        f"Cumulative distribution of the {what} of {len(cases)} cases.",
        (*_line_keys(subject, group, cases), *dash_keys),
        has_log=True,
        remark=_explain_choice(group, cases),
    )


def _line_keys(subject: Subject, group: Group, cases: Sequence[ShownCase]) -> tuple[Key, ...]:
    """Return the legend of the lines: of cases where each series has only one of several, else of series."""
    keys = series_keys(subject, "line", cases)
    if not _explain_choice(group, cases):
        return keys
    names = {each.series: each.name for each in cases}
    return tuple(replace(key, text=names[key.text]) for key in keys)


def _explain_choice(group: Group, cases: Sequence[ShownCase]) -> str:
    drawn = len({each.label for each in cases})
    if drawn == len(group.labels):
        return ""
    return f"Of {len(group.labels)} cases {drawn} are drawn, each the fastest of its strategy and client."


def _dashes(
    subject: Subject, cases: Sequence[ShownCase]
) -> tuple[dict[tuple[str, str], str], tuple[Key, ...]]:
    """Tell the cases of a series apart by dashes: by their side, or else by their workers.

    Return the name of the dash of each case, and the legend of the dashes; it is empty where colours suffice.
    """
    if len(subject.sides) > 1:
        names = {(each.label, each.side): side_name(subject, each.side) for each in cases}
        order = [side_name(subject, side) for side in subject.sides]
    elif len({each.series for each in cases}) == len(cases):
        return {(each.label, each.side): "" for each in cases}, ()
    else:
        names = {(each.label, each.side): plural(each.case.workers, "worker") for each in cases}
        workers = sorted({each.case.workers for each in cases}, reverse=True)
        order = [plural(count, "worker") for count in workers]
    symbols = [*DASHES] * (len(order) // len(DASHES) + 1)
    keys = (Key(symbol, "muted", name) for symbol, name in zip(symbols, order, strict=False))
    return names, tuple(keys)
