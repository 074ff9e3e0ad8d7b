"""Build the compact summary of a comparison: the verdict first, then a line for each metric of each case."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from bench.model.comparison import Verdict
from bench.model.text import plural, printable
from bench.report.absolute_thresholds import bound_lines
from bench.report.comparison_table import comparison_conclusion, comparison_remarks, count_undecided
from bench.report.number_format import MISSING, format_change, format_figure, format_small_percent
from bench.report.table import Column, Remark, Row, Section, Table, Tone
from bench.stats.verdicts import MetricVerdict, Verdicts

_ORDER: Final[tuple[Verdict, ...]] = ("slower", "inconclusive", "faster", "equivalent")
"""The order of the rows: the gravest verdict first."""
_TONES: Final[dict[Verdict, Tone]] = {
    "slower": "bad", "inconclusive": "plain", "faster": "best", "equivalent": "good"
}  # fmt: skip
_MOST_ROWS: Final = 14


def comparison_summary(
    title: str,
    verdicts: Verdicts,
    details: str,
    notes: Iterable[str] = (),
    hidden: Collection[Verdict] = (),
) -> Iterator[Table]:
    """Return the verdict, the metrics with what was ruled out, and what did not go well.

    Args:
        title: name of the run.
        verdicts: a row for each.
        details: the command that prints every figure; empty: leave it out.
        notes: remarks to make before those on cases and trials.
        hidden: metrics with these verdicts have no row.
    """
    base, candidate = printable(verdicts.base), printable(verdicts.candidate)
    names, profile = _name_cases(verdicts)
    where = f", profile {profile}" if profile else ""
    yield Table(
        remarks=(
            Remark(f"{printable(title)}: {candidate} against {base}{where}"),
            Remark(comparison_conclusion(verdicts)),
        )
    )
    ordered = [each for each in gravest_first(verdicts) if each.verdict not in hidden]
    rows = tuple(_row(each, names[each.case]) for each in ordered[:_MOST_ROWS])
    if left := ordered[_MOST_ROWS:]:
        rows += (Row((f"… {plural(len(left), 'more metric')}", "", "", "", "", "")),)
    remarks = (
        *notes,
        *comparison_remarks(verdicts),
        *count_undecided(verdicts),
        *bound_lines(verdicts.bounds),
        *([f"Every figure: {details}"] if details else ()),
    )
    yield Table(
        columns=(
            Column("case", "left"),
            Column("metric", "left"),
            Column("base", is_optional=True, order=2),
            Column("candidate", is_optional=True, order=2),
            Column("change", is_optional=True, order=1),  # the verdict has its bounds
            Column("verdict", "left"),
        ),
        sections=(Section("", rows),) if rows else (),
        remarks=tuple(map(_remark, remarks)),
        keys=2,
    )


def gravest_first(verdicts: Verdicts) -> list[MetricVerdict]:
    """Return the metrics in the order of the summary."""
    return sorted(verdicts.metrics, key=lambda each: (_ORDER.index(each.verdict), -_change(each)))


def describe_verdict(each: MetricVerdict) -> str:
    """Say in words what the bounds of a metric leave possible, and so what was ruled out."""
    low = None if each.ratio is None else each.ratio.low
    high = None if each.ratio is None else each.ratio.high
    match each.verdict:
        case "slower" if low is not None:
            return f"slower by at least {format_small_percent(low - 1)}"
        case "faster" if high is not None:
            return f"faster by at least {format_small_percent(1 - high)}"
        case "equivalent" if high is not None:
            furthest = max(high - 1, 0.0 if low is None else 1 - low)
            return f"equivalent within {format_small_percent(furthest)}"
        case "inconclusive" if low is not None and high is not None:
            return f"inconclusive: {format_change(low)} to {format_change(high)}"
        case verdict:
            return verdict


def _remark(line: str) -> Remark:
    """Let failures stand out from notes."""
    sign = "! "
    return Remark(line.removeprefix(sign), "failure") if line.startswith(sign) else Remark(line, "note")


def _change(each: MetricVerdict) -> float:
    return each.ratio.estimate if each.ratio is not None else 0.0


def _name_cases(verdicts: Verdicts) -> tuple[dict[str, str], str]:
    """Return the name of each case by id, and the profile; it is left out of the names if all have one."""
    parts = {each.case: printable(each.case).split("/", 3) for each in verdicts.metrics}
    profiles = {"".join(each[3:]) for each in parts.values()}
    if len(profiles) != 1:
        return {case: "/".join(each) for case, each in parts.items()}, ""
    return {case: "/".join(each[:3]) for case, each in parts.items()}, profiles.pop()


def _row(each: MetricVerdict, name: str) -> Row:
    return Row(
        (
            name,
            each.metric,
            format_figure(each.metric, each.base),
            format_figure(each.metric, each.candidate),
            MISSING if each.ratio is None else format_change(each.ratio.estimate),
            describe_verdict(each),
        ),
        tone=_TONES[each.verdict],
    )
