"""Of which commits the sides of a contest are, and whether they are as in them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bench.model.comparison import METRICS, Metric
from bench.model.results import Run
from bench.model.text import join_and, plural, printable
from bench.report.absolute_thresholds import amount as written
from bench.report.absolute_thresholds import bound_lines, bounds_conclusion
from bench.report.number_format import NOTHING, percent
from bench.report.table import ReportTable, Section, text_width
from bench.stats.absolute_thresholds import BoundVerdict
from bench.stats.intervals import Interval
from bench.stats.sequential_test import Verdict
from bench.stats.verdicts import MetricVerdict, Verdicts
from bench.storage.comparison import about_variant, read_comparison

_SHOWN_COMMIT: Final = 7


def shown_commit(commit: str) -> str:
    """Shorten a commit."""
    return commit[:_SHOWN_COMMIT]


def variant_lines(run: Run) -> Iterator[str]:
    """Say it in a line, where there is something to say.

    Nothing is said of sides that are of no commit or called by it, nor of a run that is no contest.
    """
    contest = read_comparison(run)
    if contest is None:
        return
    told = [
        f"{printable(side)} is {printable(shown_commit(str(commit)))}"
        f"{' with changes that are in no commit' if about.get('dirty') else ''}"
        for side in (contest.base, contest.candidate)
        for about in [about_variant(run, side)]
        if (commit := about.get("commit")) and not side.startswith(shown_commit(str(commit)))
    ]
    if told:
        yield "; ".join(told)


_LONGEST_HEADING: Final = 12


def comparison_table(
    title: str, verdicts: Verdicts, notes: Iterable[str] = (), kept: Sequence[BoundVerdict] = ()
) -> ReportTable:
    """Lay out the verdicts of a contest, with what else is to be said of it before they are summed up.

    ``kept`` is how the candidate keeps to the bounds of its own.
    """
    base, candidate = printable(verdicts.base), printable(verdicts.candidate)
    cases = dict.fromkeys(each.case for each in verdicts.metrics)
    return ReportTable(
        title=title,
        columns=("", *_headings(base, candidate), "change", "bounds", "blocks", "verdict"),
        sections=tuple(
            Section(printable(case), tuple(_row(each) for each in verdicts.metrics if each.case == case))
            for case in cases
        ),
        legend=_legend(verdicts),
        remarks=(
            *notes,
            *_alone(verdicts),
            *_failures(verdicts),
            *_spoilt(verdicts),
            *_open(verdicts),
            *bound_lines(kept),
            comparison_conclusion(verdicts, kept),
        ),
    )


def _headings(base: str, candidate: str) -> tuple[str, str]:
    """Name both sides, or say which is which where their names would leave no room for anything else."""
    are_short = max(text_width(base), text_width(candidate)) <= _LONGEST_HEADING
    return (base, candidate) if are_short else ("base", "candidate")


def comparison_conclusion(verdicts: Verdicts, kept: Sequence[BoundVerdict] = ()) -> str:
    """Say in a sentence or two what was found."""
    moved = (_moved(verdicts, "slower"), _moved(verdicts, "faster"))
    return " ".join(filter(None, (*moved, *_rest(verdicts), bounds_conclusion(kept))))


def _moved(verdicts: Verdicts, verdict: Verdict) -> str:
    """Name the metrics that have become slower, or faster."""
    found = [each for each in verdicts.metrics if each.verdict == verdict]
    if not found:
        return ""
    sides = f"{printable(verdicts.candidate)} is {verdict} than {printable(verdicts.base)}"
    return f"{sides} in {_of_all(found, verdicts)}: {join_and([_named(each) for each in found])}."


def _rest(verdicts: Verdicts) -> Iterator[str]:
    """Count the metrics that have not moved, and those of which that is not known."""
    equivalent = [each for each in verdicts.metrics if each.verdict == "equivalent"]
    if equivalent:
        yield f"{_of_all(equivalent, verdicts)} within the margin."
    undecided = [each for each in verdicts.metrics if each.verdict == "inconclusive"]
    if undecided:
        yield f"{_of_all(undecided, verdicts)} undecided."


def _of_all(found: Sequence[MetricVerdict], verdicts: Verdicts) -> str:
    return f"{len(found)} of {plural(len(verdicts.metrics), 'metric')}"


def change(ratio: float) -> str:
    """Write a ratio as a change, with its sign."""
    return f"{'+' if ratio >= 1 else '−'}{percent(abs(ratio - 1))}"


def value(metric: Metric, amount: float | None) -> str:
    """Write a figure of a metric with its unit."""
    return NOTHING if amount is None else written(metric, amount)


def bounds(ratio: Interval | None) -> str:
    """Write the bounds of a change; a dash where the last block was no look."""
    if ratio is None or ratio.low is None or ratio.high is None:
        return NOTHING
    return f"{change(ratio.low)} to {change(ratio.high)}"


def _row(each: MetricVerdict) -> tuple[str, ...]:
    return (
        f"  {each.metric}",
        value(each.metric, each.base),
        value(each.metric, each.candidate),
        NOTHING if each.ratio is None else change(each.ratio.estimate),
        bounds(each.ratio),
        str(each.blocks),
        each.verdict,
    )


def _named(each: MetricVerdict) -> str:
    much = "" if each.ratio is None else f" {change(each.ratio.estimate)}"
    return f"{each.metric} of {printable(each.case)}{much}"


def _legend(verdicts: Verdicts) -> str:
    margins = sorted({each.margin for each in verdicts.metrics})
    told = join_and([f"{change(1 / (1 + margin))} to {change(1 + margin)}" for margin in margins])
    sides = (printable(verdicts.base), printable(verdicts.candidate))
    names = () if _headings(*sides) == sides else (f"base: {sides[0]}", f"candidate: {sides[1]}")
    explained = {
        "elapsed": "elapsed: faster half of the rounds",
        "p99": "p99: latency of a fetch",
        "cpu": "cpu: user and system of a round",
        "memory": "memory: peak",
    }
    shown = {each.metric for each in verdicts.metrics}
    return "; ".join(
        (
            *names,
            *(explained[metric] for metric in METRICS if metric in shown),
            "change: of both sides in the same block, on average",
            f"equivalent: within {told}",
            "bounds: at the last look, each wrong in 5% at the most; a false slower in any metric: 1%",
        )
    )


def _failures(verdicts: Verdicts) -> Iterator[str]:
    for case, trials in verdicts.failed.items():
        first = trials[0]
        side = printable(first.case.rpartition("@")[2])
        yield (
            f"! {printable(case)}: {plural(len(trials), 'trial')} failed, the first in block "
            f"{first.block + 1} by {side}: {first.outcome}: {printable(first.detail)}"
        )


def _alone(verdicts: Verdicts) -> Iterator[str]:
    for case in verdicts.vanished:
        yield f"vanished: {printable(case)}; {printable(verdicts.base)} alone has it"
    for case in verdicts.new:
        yield f"new: {printable(case)}; {printable(verdicts.candidate)} alone has it"


def _spoilt(verdicts: Verdicts) -> Iterator[str]:
    if verdicts.spoilt:
        yield f"{plural(verdicts.spoilt, 'block')} left out: the machine had spoilt them."


def _open(verdicts: Verdicts) -> Iterator[str]:
    """Say why metrics are undecided, all those of a case for the same reason in one line."""
    reasons: dict[tuple[str, str], list[Metric]] = {}
    for each in verdicts.metrics:
        if each.why:
            reasons.setdefault((each.case, each.why), []).append(each.metric)
    for (case, why), metrics in reasons.items():
        yield f"? {printable(case)}: {join_and(metrics)} inconclusive: {why}"
