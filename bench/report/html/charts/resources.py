"""Processor time and memory of each case."""

from collections.abc import Iterator
from typing import Final

import altair as alt

from bench.report.html.drawing import (
    DataRow,
    Drawing,
    Key,
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
    spread_sides,
)
from bench.report.html.subject import Group, Subject
from bench.report.number_format import format_duration, format_mib, format_percent

_KINDS: Final = {"user": "cpu_user_s", "system": "cpu_system_s"}
_MIB: Final = 1 << 20


def cpu_rows(group: Group) -> list[DataRow]:
    """Return a row for the user and the system time of each case, in milliseconds per round."""
    rows: list[DataRow] = []
    for shown in group.timed:
        costs = shown.summary.costs
        if costs is None or costs.cpu_share is None:
            continue
        begin_s = 0.0
        for kind, figure in _KINDS.items():
            value_s = costs.figures[figure]
            rows.append(
                {
                    **identity(shown),
                    "kind": kind,
                    "from": begin_s * 1000,
                    "to": (begin_s + value_s) * 1000,
                    "text": format_duration(value_s),
                    "share": format_percent(costs.cpu_share),
                }
            )
            begin_s += value_s
    return rows


def memory_rows(group: Group) -> list[DataRow]:
    """Return the peak memory of each case, in MiB."""
    return [
        {**identity(shown), "value": peak / _MIB, "text": f"{format_mib(peak)} MiB"}
        for shown in group.timed
        if shown.summary.costs is not None
        and (peak := shown.summary.costs.figures.get("memory_bytes")) is not None
    ]


def draw_cpu(subject: Subject) -> Iterator[Drawing]:
    """Draw the processor time of the cases of each profile."""
    for group in subject.groups:
        if rows := cpu_rows(group):
            yield _draw_cpu(subject, group, rows)


def draw_memory(subject: Subject) -> Iterator[Drawing]:
    """Draw the peak memory of the cases of each profile."""
    for group in subject.groups:
        if rows := memory_rows(group):
            yield _draw_memory(subject, group, rows)


def _draw_cpu(subject: Subject, group: Group, rows: list[DataRow]) -> Drawing:
    y, offset = case_axis(_labels(rows)), spread_sides(subject)
    ends = {(row["label"], row.get("side", "")): row for row in rows}
    texts = [
        {
            "label": row["label"],
            "side": row.get("side", ""),
            "at": row["to"],
            "text": beside(
                subject, f"{format_duration(row['to'] / 1000)}, {row['share']}", row.get("side", "")
            ),
        }
        for row in ends.values()
    ]
    scale = alt.Scale(nice=False, rangeMax=room_for(row["text"] for row in texts))
    bars = (
        alt.Chart(data(rows), name="parts")
        .mark_bar(height=alt.RelativeBandSize(0.62))
        .encode(
            x=alt.X("from:Q", title="CPU time of a round, ms (of a core)", scale=scale),
            x2="to:Q",
            y=y,
            yOffset=offset,
            color=colour_series(subject),
            opacity=alt.Opacity(
                "kind:O", scale=alt.Scale(domain=list(_KINDS), range=[1, 0.5]), legend=alt.Legend(title=None)
            ),
            tooltip=[
                *case_tooltip(subject),
                alt.Tooltip("kind:N", title="kind"),
                alt.Tooltip("text:N", title="a round"),
            ],
        )
    )
    return Drawing(
        layers(bars, _end_texts(texts, scale, y, offset), height=rows_height(group)),
        group.title,
        f"Processor time of {len(ends)} cases.",
        (
            *series_keys(subject, "bar", group.timed),
            Key("bar", "ink", "strong: user"),
            Key("faint-bar", "ink", "faint: system"),
        ),
    )


def _draw_memory(subject: Subject, group: Group, rows: list[DataRow]) -> Drawing:
    y, offset = case_axis(_labels(rows)), spread_sides(subject)
    texts = [
        {**row, "at": row["value"], "text": beside(subject, row["text"], row.get("side", ""))} for row in rows
    ]
    scale = alt.Scale(nice=False, rangeMax=room_for(row["text"] for row in texts))
    bars = (
        alt.Chart(data(rows), name="parts")
        .mark_bar(height=alt.RelativeBandSize(0.5))
        .encode(
            x=alt.X("value:Q", title="memory at its peak, MiB", scale=scale),
            y=y,
            yOffset=offset,
            color=colour_series(subject),
            tooltip=[
                *case_tooltip(subject),
                alt.Tooltip("text:N", title="peak"),
            ],
        )
    )
    return Drawing(
        layers(bars, _end_texts(texts, scale, y, offset), height=rows_height(group)),
        group.title,
        f"Peak memory of {len(rows)} cases.",
        series_keys(subject, "bar", group.timed),
    )


def _end_texts(rows: list[DataRow], scale: alt.Scale, y: alt.Y, offset: object) -> alt.Chart:
    chart: alt.Chart = (
        alt.Chart(data(rows), name="texts")
        .mark_text(align="left", dx=7, aria=False)
        .encode(x=alt.X("at:Q", scale=scale), y=y, yOffset=offset, text="text:N")
    )
    return chart


def _labels(rows: list[DataRow]) -> list[str]:
    return list(dict.fromkeys(row["label"] for row in rows))
