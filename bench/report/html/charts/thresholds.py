"""The absolute thresholds of a comparison: each measured figure as a share of its bound."""

from collections.abc import Iterator, Sequence
from typing import Final

import altair as alt

from bench.model.text import join_and, plural, printable
from bench.report.absolute_thresholds import describe_bound, describe_finding
from bench.report.html.drawing import (
    ROW_HEIGHT,
    DataRow,
    Drawing,
    Key,
    Note,
    data,
    dots_with_intervals,
    layers,
)
from bench.report.html.subject import LINE_END, Subject
from bench.report.html.theme import verdict_colour
from bench.report.number_format import format_figure
from bench.stats.absolute_thresholds import BoundStatus, BoundVerdict

_VERDICTS: Final[dict[BoundStatus, str]] = {"kept": "faster", "open": "inconclusive", "broken": "slower"}
"""The verdicts whose colours the states of a bound have."""
_MOST_NAMES: Final = 3
"""Cases that are named where there is no mark for them."""


def threshold_rows(bounds: Sequence[BoundVerdict]) -> list[DataRow]:
    """Return a row for each bound above zero whose figure was measured, as a share of the bound."""
    return [_row(each) for each in bounds if _is_drawn(each)]


def _is_drawn(each: BoundVerdict) -> bool:
    return each.found is not None and each.bound.value > 0


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


def notes_on_others(bounds: Sequence[BoundVerdict]) -> Iterator[Note]:
    """Yield a note for each bound and state that are not drawn: of zero, or without a figure."""
    others: dict[tuple[str, bool, BoundStatus], list[str]] = {}
    for each in bounds:
        if not _is_drawn(each):
            place = (describe_bound(each), each.found is None, each.verdict)
            others.setdefault(place, []).append(printable(each.case))
    for (bound, is_unknown, verdict), cases in others.items():
        names = join_and(cases) if len(cases) <= _MOST_NAMES else plural(len(cases), "case")
        why = "it was not measured" if is_unknown else "nothing is a share of zero"
        yield Note(f"{bound} is {verdict} for {names}; it is not drawn, as {why}.")


def draw_thresholds(subject: Subject) -> Iterator[Drawing | Note]:
    """Draw the thresholds of a comparison that has any, and name those that cannot be drawn."""
    if subject.verdicts is None:
        return
    if rows := threshold_rows(subject.verdicts.bounds):
        yield _draw(rows)
    yield from notes_on_others(subject.verdicts.bounds)


def _draw(rows: Sequence[DataRow]) -> Drawing:
    labels = list(dict.fromkeys(row["label"] for row in rows))
    domain = (0.0, 1.1 * max(1.0, *(row["high"] or row["share"] for row in rows)))
    scale = alt.Scale(domain=list(domain), nice=False)

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
    dots = dots_with_intervals(
        rows,
        "share",
        x,
        colour,
        {"case": "case", "bound": "threshold", "finding": "measured", "state": "verdict"},
        domain=domain,
    )
    states = {row["state"] for row in rows}
    return Drawing(
        layers(limit, *dots, height=(ROW_HEIGHT + 6) * len(labels)),
        "",
        "; ".join(f"{row['bound']} of {row['case']}: {row['text']}" for row in rows[:5]) + ".",
        (
            *(
                Key("dot", verdict_colour(name), state)
                for state, name in _VERDICTS.items()
                if state in states
            ),
            Key("interval", "muted", "95% interval"),
            Key("tick", "ink", "the threshold"),
        ),
    )
