"""The absolute thresholds of a comparison: each measured figure as a share of its bound."""

from collections.abc import Iterator
from typing import Final

import altair as alt

from bench.model.text import printable
from bench.report.absolute_thresholds import describe_bound, describe_finding
from bench.report.html.drawing import ROW_HEIGHT, DataRow, Drawing, Key, case_axis, data, layers
from bench.report.html.subject import LINE_END, Subject
from bench.report.html.theme import verdict_colour
from bench.report.number_format import format_figure
from bench.stats.absolute_thresholds import BoundStatus, BoundVerdict

_VERDICTS: Final[dict[BoundStatus, str]] = {"kept": "faster", "open": "inconclusive", "broken": "slower"}
"""The verdicts whose colours the states of a bound have."""


def threshold_rows(bounds: tuple[BoundVerdict, ...]) -> list[DataRow]:
    """Return a row for each bound above zero whose figure was measured, as a share of the bound."""
    return [_row(each) for each in bounds if each.found is not None and each.bound.value > 0]


def _row(each: BoundVerdict) -> DataRow:
    found, value = each.found, each.bound.value
    assert found is not None  # noqa: S101  checked by the caller
    case = printable(each.case)
    return {
        "label": f"{'/'.join(case.split('/', 3)[:3])}{LINE_END}{describe_bound(each)}",
        "case": case,
        "share": found.estimate / value,
        "low": None if found.low is None else found.low / value,
        "high": None if found.high is None else found.high / value,
        "state": each.verdict,
        "text": f"{format_figure(each.bound.figure, found.estimate)}, {each.verdict}",
        "finding": describe_finding(each),
        "bound": describe_bound(each),
    }


def draw_thresholds(subject: Subject) -> Iterator[Drawing]:
    """Draw the thresholds of a comparison that has any."""
    verdicts = subject.verdicts
    if verdicts is None or not (rows := threshold_rows(verdicts.bounds)):
        return
    labels = list(dict.fromkeys(row["label"] for row in rows))
    scale = alt.Scale(
        zero=True, domainMax=1.35 * max(1.0, *(row["high"] or row["share"] for row in rows)), nice=False
    )
    y = case_axis(labels)

    def x(field: str) -> alt.X:
        axis = alt.Axis(format=".0%", grid=True)
        return alt.X(f"{field}:Q", title="share of the threshold", scale=scale, axis=axis)

    colour = alt.Color(
        "state:N",
        scale=alt.Scale(domain=["kept", "", "open", "broken"], range="diverging"),
        legend=alt.Legend(title=None),
    )
    limit = (
        alt.Chart(data([{"limit": 1}]), name="limit")
        .mark_rule(style="ideal-line", strokeWidth=1.5, aria=False)
        .encode(x=x("limit"))
    )
    bars = (
        alt.Chart(data(row for row in rows if row["low"] is not None), name="intervals")
        .mark_rule(strokeWidth=4, opacity=0.6, aria=False)
        .encode(x=x("low"), x2="high:Q", y=y, color=colour)
    )
    points = (
        alt.Chart(data(rows), name="points")
        .mark_point(filled=True, size=120, opacity=1)
        .encode(
            x=x("share"),
            y=y,
            color=colour,
            tooltip=[
                alt.Tooltip("case:N", title="case"),
                alt.Tooltip("bound:N", title="threshold"),
                alt.Tooltip("finding:N", title="measured"),
                alt.Tooltip("state:N", title="verdict"),
            ],
        )
    )
    texts = (
        alt.Chart(data(rows), name="texts")
        .mark_text(dy=-14, aria=False)
        .encode(x=x("share"), y=y, text="text:N")
    )
    states = dict.fromkeys(each.verdict for each in verdicts.bounds)
    yield Drawing(
        layers(limit, bars, points, texts, height=(ROW_HEIGHT + 6) * len(labels)),
        "",
        "; ".join(f"{row['bound']} of {row['case']}: {row['text']}" for row in rows[:5]) + ".",
        (
            *(
                Key("dot", verdict_colour(name), state)
                for state, name in _VERDICTS.items()
                if state in states
            ),
            Key("tick", "ink", "the threshold"),
        ),
    )
