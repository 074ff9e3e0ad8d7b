"""The ratios of a comparison with bounds, margins and verdicts, and those of further runs to the first."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from bench.report.number_format import format_change, format_change_interval, format_duration, format_figure
from bench.report.run_ratios import RunRatios
from bench.stats.verdicts import MetricVerdict, Verdicts

_LEAST_REACH: Final = 0.12
_NO_VERDICT: Final = "no verdict"
_NOISE: Final[Mapping[bool | None, str]] = {
    True: "beyond the noise",
    False: "within the noise",
    None: "too few blocks",
}


def ratio_rows(verdicts: Verdicts) -> list[DataRow]:
    """Return a row for each metric with a ratio, the gravest verdict first; changes are shares."""
    found = [each for each in gravest_first(verdicts) if each.ratio is not None]
    names = _names(each.case for each in found)
    return [_row(each, names[each.case]) for each in found]


def _row(each: MetricVerdict, name: str) -> DataRow:
    ratio = each.ratio
    assert ratio is not None  # noqa: S101  checked by the caller
    return {
        "label": f"{name}{LINE_END}{each.metric}",
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


def _names(cases: Iterable[str]) -> Mapping[str, str]:
    """Name each case by strategy, client and workers, and by the rest only where that is not enough."""
    short = {case: "/".join(printable(case).split("/", 3)[:3]) for case in cases}
    shared = Counter(short.values())
    return {case: name if shared[name] == 1 else printable(case) for case, name in short.items()}


def run_ratio_rows(ratios: RunRatios) -> list[DataRow]:
    """Return a row for each case of two runs; changes are shares, and there are no verdicts."""
    first, second = ratios.names
    names = _names(each.case for each in ratios.cases)
    return [
        {
            "label": names[each.case].replace("/", LINE_END, 1),
            "case": printable(each.case),
            "metric": "elapsed",
            "change": each.ratio.estimate - 1,
            "low": None if each.ratio.low is None else each.ratio.low - 1,
            "high": None if each.ratio.high is None else each.ratio.high - 1,
            "verdict": _NO_VERDICT,
            "text": f"{format_change(each.ratio.estimate)}, {_NOISE[each.is_beyond_noise]}",
            "words": format_change(each.ratio.estimate),
            "bounds": format_change_interval(each.ratio),
            "base": f"{format_duration(each.first_s)} ({first})",
            "candidate": f"{format_duration(each.second_s)} ({second})",
            "blocks": f"{each.blocks[0]} and {each.blocks[1]}",
        }
        for each in sorted(ratios.cases, key=lambda each: -abs(math.log(each.ratio.estimate)))
    ]


def draw_ratios(subject: Subject) -> Iterator[Drawing]:
    """Draw the ratios of a comparison."""
    verdicts = subject.verdicts
    if verdicts is not None and (rows := ratio_rows(verdicts)):
        shown = dict.fromkeys(row["verdict"] for row in rows)
        yield _draw(
            rows,
            f"{verdicts.candidate} against {verdicts.base}",
            "; ".join(f"{row['metric']} of {row['case']}: {row['text']}" for row in rows[:5]) + ".",
            (
                *(Key("dot", verdict_colour(each), each) for each in VERDICT_ORDER if each in shown),
                Key("interval", "muted", "what the blocks leave possible"),
                Key("band", "grid", "margin: no change that matters"),
            ),
        )


def draw_run_ratios(subject: Subject) -> Iterator[Drawing]:
    """Draw the ratios of each further run to the first."""
    for ratios in subject.ratios:
        if rows := run_ratio_rows(ratios):
            yield _draw(
                rows,
                f"{ratios.names[1]} against {ratios.names[0]}",
                "; ".join(f"{row['case']}: {row['text']}" for row in rows[:5]) + ".",
                (
                    Key("dot", "unsure", f"change of elapsed, {_NO_VERDICT}"),
                    Key("interval", "muted", "what the noise within both runs leaves possible"),
                ),
                undecided=_NO_VERDICT,
            )


def _draw(
    rows: Sequence[DataRow],
    title: str,
    summary: str,
    keys: tuple[Key, ...],
    *,
    undecided: str = "inconclusive",
) -> Drawing:
    """Draw rows in the colours of their verdicts; ``undecided`` has that of an inconclusive one."""
    labels = list(dict.fromkeys(row["label"] for row in rows))
    fields = ("change", "low", "high", "margin_high")
    known = (row[name] for row in rows for name in fields if row.get(name) is not None)
    reach = 1.1 * max(_LEAST_REACH, *map(abs, known))
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    y = case_axis(labels)

    def x(field: str) -> alt.X:
        axis = alt.Axis(labelExpr=SIGNED_SHARE, grid=True, tickCount=7)
        return alt.X(f"{field}:Q", title="change: slower to the right", scale=scale, axis=axis)

    names = [undecided if each == "inconclusive" else each for each in VERDICT_ORDER]
    colour = alt.Color(
        "verdict:N", scale=alt.Scale(domain=names, range="diverging"), legend=alt.Legend(title=None)
    )
    bands = (
        alt.Chart(data(row for row in rows if "margin_high" in row), name="margins")
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
        domain=(-reach, reach),
    )  # fmt: skip
    chart = layers(bands, zero, *dots, height=(ROW_HEIGHT + 6) * len(labels))
    return Drawing(chart, printable(title), summary, keys)
