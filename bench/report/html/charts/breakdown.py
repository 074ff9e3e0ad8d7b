"""Draw the time breakdown: the planned ideal and the parts of the gap, which add up to the elapsed time."""

from collections.abc import Iterator
from typing import Final

import altair as alt

from bench.report.case_columns import GAP_PARTS
from bench.report.html.drawing import (
    DataRow,
    Drawing,
    beside,
    case_axis,
    case_tooltip,
    data,
    layers,
    part_keys,
    part_scale,
    place_of,
    room_for,
    rows_height,
    spread_sides,
)
from bench.report.html.subject import Group, Subject
from bench.report.number_format import format_duration, format_percent

_IDEAL: Final = "planned ideal"
_PARTS: Final = (_IDEAL, *GAP_PARTS.values())


def breakdown_rows(group: Group) -> list[DataRow]:
    """Return a row for each part of the mean time of each case, in the unit of the group, in order.

    The parts of a case begin where the one before ends. They are means, as in the table *why not ideal*, and
    so add up to the mean elapsed time; the median of other charts is a little less.
    """
    rows = []
    for shown in group.timed:
        costs = shown.summary.costs
        if costs is None or costs.gap is None or costs.ideal_s is None:
            continue
        parts_s = [costs.ideal_s, *(getattr(costs.gap, name) for name in GAP_PARTS)]
        total_s = sum(parts_s)
        begin_s = 0.0
        for part, part_s in zip(_PARTS, parts_s, strict=True):
            per = group.unit.per_second
            rows.append(
                {
                    **place_of(shown),
                    "part": part,
                    "from": begin_s * per,
                    "to": (begin_s + part_s) * per,
                    "text": format_duration(part_s) if part_s >= 0 else f"−{format_duration(-part_s)}",
                    "share": format_percent(part_s / total_s),
                }
            )
            begin_s += part_s
    return rows


def total_rows(subject: Subject, group: Group) -> list[DataRow]:
    """Return a row for each case: the end of its bar and the time to write there."""
    ends: dict[tuple[str, str], DataRow] = {}
    for row in breakdown_rows(group):
        ends[row["label"], row.get("side", "")] = row
    return [
        {
            "label": row["label"],
            "side": row.get("side", ""),
            "at": row["to"],
            "text": beside(subject, format_duration(row["to"] / group.unit.per_second), row.get("side", "")),
        }
        for row in ends.values()
    ]


def draw_breakdown(subject: Subject) -> Iterator[Drawing]:
    """Draw the parts of the time of the cases of each profile."""
    for group in subject.groups:
        rows = breakdown_rows(group)
        if rows:
            yield _draw(subject, group, rows)


def _draw(subject: Subject, group: Group, rows: list[DataRow]) -> Drawing:
    totals = total_rows(subject, group)
    labels = list(dict.fromkeys(row["label"] for row in rows))
    y, offset = case_axis(labels), spread_sides(subject)
    scale = alt.Scale(nice=False, rangeMax=room_for(row["text"] for row in totals))
    seen = [part for part in _PARTS if any(row["part"] == part and row["to"] > row["from"] for row in rows)]
    bars = (
        alt.Chart(data(rows), name="parts")
        .mark_bar(height=alt.RelativeBandSize(0.62))
        .encode(
            x=alt.X("from:Q", title=f"mean time of a round, {group.unit.name}", scale=scale),
            x2="to:Q",
            y=y,
            yOffset=offset,
            color=alt.Color("part:N", scale=part_scale(_PARTS), legend=alt.Legend(title=None, values=seen)),
            tooltip=[
                *case_tooltip(subject),
                alt.Tooltip("part:N", title="part"),
                alt.Tooltip("text:N", title="time"),
                alt.Tooltip("share:N", title="of the whole"),
            ],
        )
    )
    texts = (
        alt.Chart(data(totals), name="texts")
        .mark_text(align="left", dx=7, aria=False)
        .encode(x=alt.X("at:Q", scale=scale), y=y, yOffset=offset, text="text:N")
    )
    return Drawing(
        layers(bars, texts, height=rows_height(group)),
        group.title,
        f"{_IDEAL} and {len(seen) - 1} causes of delay for {len(totals)} cases.",
        tuple(key for key in part_keys(_PARTS) if key.text in seen),
    )
