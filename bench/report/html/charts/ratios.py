"""The verdicts of a comparison: the ratio of each metric with its bounds, and the margin."""

from collections.abc import Iterator
from typing import Final

import altair as alt

from bench.model.text import printable
from bench.report.comparison_summary import describe_verdict, gravest_first
from bench.report.html.drawing import (
    ROW_HEIGHT,
    SIGNED_SHARE,
    DataRow,
    Drawing,
    Key,
    case_axis,
    data,
    dots_with_intervals,
    layers,
)
from bench.report.html.subject import LINE_END, Subject
from bench.report.html.theme import VERDICT_ORDER, verdict_colour
from bench.report.number_format import format_change, format_change_interval, format_figure
from bench.stats.verdicts import MetricVerdict, Verdicts

_LEAST_REACH: Final = 0.12


def ratio_rows(verdicts: Verdicts) -> list[DataRow]:
    """Return a row for each metric with a ratio, the gravest verdict first; changes are shares."""
    return [_row(each) for each in gravest_first(verdicts) if each.ratio is not None]


def _row(each: MetricVerdict) -> DataRow:
    ratio = each.ratio
    assert ratio is not None  # noqa: S101  checked by the caller
    return {
        "label": f"{_name(each.case)}{LINE_END}{each.metric}",
        "case": printable(each.case),
        "metric": each.metric,
        "change": ratio.estimate - 1,
        "low": None if ratio.low is None else ratio.low - 1,
        "high": None if ratio.high is None else ratio.high - 1,
        "margin_low": 1 / (1 + each.margin) - 1,
        "margin_high": each.margin,
        "verdict": each.verdict,
        "text": describe_verdict(each),
        "words": format_change(ratio.estimate),
        "bounds": format_change_interval(ratio),
        "base": format_figure(each.metric, each.base),
        "candidate": format_figure(each.metric, each.candidate),
        "blocks": each.blocks,
    }


def _name(case: str) -> str:
    return "/".join(printable(case).split("/", 3)[:3])


def draw_ratios(subject: Subject) -> Iterator[Drawing]:
    """Draw the ratios of a comparison."""
    verdicts = subject.verdicts
    if verdicts is None or not (rows := ratio_rows(verdicts)):
        return
    labels = list(dict.fromkeys(row["label"] for row in rows))
    reach = max(
        _LEAST_REACH,
        *(
            abs(row[name])
            for row in rows
            for name in ("change", "low", "high", "margin_high")
            if row[name] is not None
        ),
    )
    scale = alt.Scale(domain=[-reach * 1.1, reach * 1.1], nice=False)
    y = case_axis(labels)

    def x(field: str) -> alt.X:
        axis = alt.Axis(labelExpr=SIGNED_SHARE, grid=True, tickCount=7)
        return alt.X(f"{field}:Q", title="change: slower to the right", scale=scale, axis=axis)

    colour = alt.Color(
        "verdict:N",
        scale=alt.Scale(domain=list(VERDICT_ORDER), range="diverging"),
        legend=alt.Legend(title=None),
    )
    bands = (
        alt.Chart(data(rows), name="margins")
        .mark_bar(style="margin-band", height=alt.RelativeBandSize(0.9), aria=False)
        .encode(x=x("margin_low"), x2="margin_high:Q", y=y)
    )
    zero = (
        alt.Chart(data([{"zero": 0}]), name="zero")
        .mark_rule(style="quiet-line", strokeWidth=1.5, aria=False)
        .encode(x=x("zero"))
    )
    dots = dots_with_intervals(
        rows,
        "change",
        x,
        colour,
        {
            "case": "case", "metric": "metric", "text": "verdict", "words": "change", "bounds": "bounds",
            "base": "base", "candidate": "candidate", "blocks": "blocks",
        },
    )  # fmt: skip
    shown = dict.fromkeys(row["verdict"] for row in rows)
    yield Drawing(
        layers(bands, zero, *dots, height=(ROW_HEIGHT + 6) * len(labels)),
        printable(f"{verdicts.candidate} against {verdicts.base}"),
        "; ".join(f"{row['metric']} of {row['case']}: {row['text']}" for row in rows[:5]) + ".",
        (
            *(Key("dot", verdict_colour(each), each) for each in VERDICT_ORDER if each in shown),
            Key("interval", "muted", "what the blocks leave possible"),
            Key("band", "grid", "margin: no change that matters"),
        ),
    )
