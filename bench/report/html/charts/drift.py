"""The time of each block against the median of its case, and the trials that were discarded."""

from collections import defaultdict
from collections.abc import Iterator
from statistics import median
from typing import Final

import altair as alt

from bench.model.text import printable
from bench.report.html.drawing import (
    SIGNED_SHARE,
    DataRow,
    Drawing,
    Key,
    case_tooltip,
    colour_series,
    data,
    identity,
    layers,
    series_keys,
    side_keys,
    side_shape,
)
from bench.report.html.subject import Group, Subject
from bench.report.number_format import format_change, format_duration
from bench.stats.retries import is_final

_NUMBERED_BLOCKS: Final = 12
"""Up to so many blocks, the axis numbers each."""
_MOST_POINTS: Final = 1500
"""Marks for single blocks on a page, over all cases; with more, only the median of each block is drawn."""


def block_rows(group: Group) -> list[DataRow]:
    """Return the change of each block of each case against its median; blocks count from 1."""
    rows: list[DataRow] = []
    for shown in group.timed:
        middle = median(shown.summary.sample.values())
        rows += [
            {
                **identity(shown),
                "block": block + 1,
                "change": value / middle - 1,
                "text": format_duration(value),
                "words": format_change(value / middle),
            }
            for block, value in shown.summary.sample.items()
        ]
    return rows


def median_rows(rows: list[DataRow]) -> list[DataRow]:
    """Return the median change over all cases of each block."""
    changes = defaultdict(list)
    for row in rows:
        changes[row["block"]].append(row["change"])
    return [{"block": block, "change": median(found)} for block, found in sorted(changes.items())]


def discarded_rows(group: Group) -> list[DataRow]:
    """Return a row for each trial that was discarded, repeated or not."""
    return [
        {
            **identity(shown),
            "block": trial.block + 1,
            "reason": printable(trial.detail) or trial.outcome,
            "then": "given up" if is_final(trial) else "repeated",
        }
        for shown in group.cases
        for trial in shown.trials
        if trial.outcome == "invalid"
    ]


def draw_drift(subject: Subject) -> Iterator[Drawing]:
    """Draw the drift of each profile that has several blocks."""
    for group in subject.groups:
        rows = block_rows(group)
        if len({row["block"] for row in rows}) > 1:
            yield _draw(subject, group, rows)


def _draw(subject: Subject, group: Group, rows: list[DataRow]) -> Drawing:
    discarded = discarded_rows(group)
    last = max(row["block"] for row in (*rows, *discarded))
    x = _block_axis(last)
    y = alt.Y(
        "change:Q",
        title="against the median of its case",
        axis=alt.Axis(labelExpr=SIGNED_SHARE, grid=True, tickCount=6),
    )
    medians = (
        alt.Chart(data(median_rows(rows)), name="medians")
        .mark_line(style="ideal-line", strokeWidth=2, aria=False)
        .encode(x=x, y=y)
    )
    parts = [medians]
    keys: list[Key] = [Key("line", "ink", "median of all cases")]
    is_whole = len(rows) <= group.share_of(_MOST_POINTS)
    if is_whole:
        parts = [_points(subject, rows, x, y), medians]
        keys = [*series_keys(subject, "dot", group.timed), *side_keys(subject), *keys]
    if discarded:
        parts.append(_crosses(subject, discarded, x))
        keys.append(Key("cross", "bad", "discarded trial"))
    return Drawing(
        layers(*parts),
        group.title,
        f"{last} blocks of {len(group.timed)} cases; {len(discarded)} trials were discarded.",
        tuple(keys),
        remark=" ".join(_remarks(is_whole=is_whole, has_discarded=bool(discarded))),
    )


def _block_axis(last: int) -> alt.X:
    """Return the axis of blocks, which has a label for each if they are few."""
    axis = alt.Axis(format="d", tickMinStep=1)
    if last <= _NUMBERED_BLOCKS:  # with a count of their own: that of the config would thin them
        axis = alt.Axis(format="d", values=list(range(1, last + 1)), tickCount=last)
    return alt.X("block:Q", title="block", scale=alt.Scale(domain=[0.5, last + 0.5], nice=False), axis=axis)


def _points(subject: Subject, rows: list[DataRow], x: alt.X, y: alt.Y) -> alt.Chart:
    tooltip = [
        *case_tooltip(subject),
        alt.Tooltip("block:Q", title="block"),
        alt.Tooltip("text:N", title="time"),
        alt.Tooltip("words:N", title="against the median"),
    ]
    points: alt.Chart = (
        alt.Chart(data(rows), name="points")
        .mark_point(filled=True, size=42, opacity=0.75)
        .encode(x=x, y=y, color=colour_series(subject), shape=side_shape(subject), tooltip=tooltip)
    )
    return points


def _crosses(subject: Subject, discarded: list[DataRow], x: alt.X) -> alt.Chart:
    """Return a cross for each discarded trial, above the blocks."""
    tooltip = [
        *case_tooltip(subject),
        alt.Tooltip("block:Q", title="block"),
        alt.Tooltip("reason:N", title="discarded"),
        alt.Tooltip("then:N", title="then"),
    ]
    crosses: alt.Chart = (
        alt.Chart(data(discarded), name="discarded")
        .mark_point(
            style="discarded", shape="cross", angle=45, size=70, filled=False, strokeWidth=2, opacity=1
        )
        .encode(x=x, y=alt.value(4), tooltip=tooltip)
    )
    return crosses


def _remarks(*, is_whole: bool, has_discarded: bool) -> Iterator[str]:
    if has_discarded:
        yield "A cross is a trial that was discarded."
    if not is_whole:
        yield "There are too many blocks to draw each."
