"""Elapsed time of each case: its median with the interval, every block, and the ideal."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, Final

import altair as alt

from bench.report.html.drawing import (
    DataRow,
    Drawing,
    Key,
    Note,
    beside,
    case_axis,
    case_tooltip,
    colour_series,
    data,
    identity,
    layers,
    room_for,
    rows_height,
    series_keys,
    side_keys,
    side_shape,
    spread_sides,
)
from bench.report.html.subject import Group, ShownCase, Subject
from bench.report.html.thinning import thin_values
from bench.report.number_format import MISSING, format_duration, format_interval, format_percent
from bench.stats.case_summary import mean_ideal_s

_MOST_BLOCKS: Final = 1000
"""Marks for single blocks on a page, over all cases; more would only be a smear that is slow to draw."""
_BOLD_IF_FASTEST: Final = alt.ExprRef("datum.weight == 'fastest' ? 'bold' : 'normal'")


def elapsed_rows(group: Group) -> list[DataRow]:
    """Return a row for each timed case: median, bounds and ideal in the unit of the group."""
    return [_row(group, each) for each in group.timed]


def block_rows(group: Group) -> list[DataRow]:
    """Return a row for each block of each timed case; of too many blocks, some quantiles."""
    most = max(2, group.share_of(_MOST_BLOCKS) // max(1, len(group.timed)))
    return [
        {**identity(each), "value": value * group.unit.per_second}
        for each in group.timed
        for value in thin_values(list(each.summary.sample.values()), most)
    ]


def ideal_s(shown: ShownCase) -> float | None:
    """Return the median over blocks of the ideal by the server's actual times; None for a target."""
    ideals_s = [found for trial in shown.good if (found := mean_ideal_s(trial.rounds)) is not None]
    return median(ideals_s) if ideals_s else None


def _row(group: Group, shown: ShownCase) -> dict[str, Any]:
    figures = shown.summary.figures
    assert figures is not None  # noqa: S101  it is timed
    elapsed, per = figures.elapsed, group.unit.per_second
    ideal, efficiency = ideal_s(shown), figures.efficiency
    interval = format_interval(elapsed, format_duration, " to ")
    return {
        **identity(shown),
        "median": elapsed.estimate * per,
        "low": None if elapsed.low is None else elapsed.low * per,
        "high": None if elapsed.high is None else elapsed.high * per,
        "ideal": None if ideal is None else ideal * per,
        "text": format_duration(elapsed.estimate),
        "weight": "fastest" if shown.label in group.fastest else "other",
        "interval": interval,
        "of_ideal": MISSING if efficiency is None else format_percent(efficiency),
    }


def draw_elapsed(subject: Subject) -> Iterator[Drawing | Note]:
    """Draw the elapsed time of the cases of each profile; in an open loop, its schedule decides that."""
    for group in subject.groups:
        if any(each.case.rate for each in group.timed):
            whose = f"{group.title}: " if group.title else ""
            yield Note(f"{whose}the schedule of an open loop decides how long a round takes.")
        elif group.timed:
            yield _draw(subject, group)


def _draw(subject: Subject, group: Group) -> Drawing:
    rows, blocks = elapsed_rows(group), block_rows(group)
    y, offset = case_axis(group.labels), spread_sides(subject)
    text_rows = _text_rows(subject, rows, blocks)
    room = room_for(row["text"] for row in text_rows)
    x_scale = alt.Scale(type="linear", zero=True, nice=False, rangeMax=room)
    title = f"elapsed time, {group.unit.name}"

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", title=title, scale=x_scale)

    colour = colour_series(subject)
    with_interval = [row for row in rows if row["low"] is not None]
    with_ideal = [row for row in rows if row["ideal"] is not None]
    tooltip = [
        *case_tooltip(subject),
        alt.Tooltip("text:N", title="median"),
        alt.Tooltip("interval:N", title="95% interval"),
        *([alt.Tooltip("of_ideal:N", title="of ideal")] if with_ideal else []),
    ]
    ticks = (
        alt.Chart(data(blocks), name="blocks")
        .mark_tick(thickness=1, size=13, opacity=0.42, aria=False)
        .encode(x=x("value"), y=y, yOffset=offset, color=colour)
    )
    bars = (
        alt.Chart(data(with_interval), name="intervals")
        .mark_rule(strokeWidth=4, opacity=0.55, strokeCap="round", aria=False)
        .encode(x=x("low"), x2="high:Q", y=y, yOffset=offset, color=colour)
    )
    ideals = (
        alt.Chart(data(with_ideal), name="ideals")
        .mark_tick(style="ideal", thickness=2, size=20, aria=False)
        .encode(x=x("ideal"), y=y, yOffset=offset)
    )
    ideal_texts = (
        alt.Chart(data(with_ideal[:1]), name="ideal_texts")
        .mark_text(style="quiet", dy=-17, fontSize=11, aria=False)
        .encode(x=x("ideal"), y=y, yOffset=offset, text=alt.value("ideal"))
    )
    points = (
        alt.Chart(data(rows), name="points")
        .mark_point(filled=True, size=110, opacity=1, strokeWidth=0)
        .encode(
            x=x("median"),
            y=y,
            yOffset=offset,
            color=colour,
            shape=side_shape(subject),
            tooltip=tooltip,
        )
    )
    texts = (
        alt.Chart(data(text_rows), name="texts")
        .mark_text(align="left", baseline="middle", dx=9, aria=False, fontWeight=_BOLD_IF_FASTEST)
        .encode(
            x=x("at"),
            y=y,
            yOffset=offset,
            text="text:N",
        )
    )
    return Drawing(
        layers(ticks, bars, ideals, ideal_texts, points, texts, height=rows_height(group)),
        group.title,
        _summary(group, rows),
        (
            *series_keys(subject, "dot", group.timed),
            *side_keys(subject),
            Key("interval", "muted", "95% interval"),
            Key("thin-tick", "muted", "a block"),
            *([Key("tick", "ink", "ideal: nothing can be faster")] if with_ideal else []),
        ),
        has_log=True,
    )


def _text_rows(subject: Subject, rows: Sequence[DataRow], blocks: Sequence[DataRow]) -> list[DataRow]:
    """Place the time of a case to the right of all its marks."""
    furthest: dict[tuple[str, str], float] = {}
    for block in blocks:
        place = (block["label"], block.get("side", ""))
        furthest[place] = max(furthest.get(place, 0.0), block["value"])
    return [
        {
            "label": row["label"],
            "side": row.get("side", ""),
            "text": beside(subject, row["text"], row.get("side", "")),
            "weight": row["weight"],
            "at": max(
                row["median"], row["ideal"] or 0.0, furthest.get((row["label"], row.get("side", "")), 0.0)
            ),
        }
        for row in rows
    ]


def _summary(group: Group, rows: Sequence[DataRow]) -> str:
    """Name the fastest and the slowest case."""
    first, last = group.timed[0].name, group.timed[-1].name
    if len(rows) == 1:
        return f"{first}: {rows[0]['text']}."
    return f"{len(rows)} cases, from {first} at {rows[0]['text']} to {last} at {rows[-1]['text']}."
