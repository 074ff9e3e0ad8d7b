"""Build the tables of comparisons: verdicts on metrics, or medians without verdicts."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from bench.model.comparison import METRICS, Metric, Verdict
from bench.model.results import Run
from bench.model.stored_comparison import about_variant, read_comparison
from bench.model.text import count_names, join_and, plural, printable
from bench.report.absolute_thresholds import bound_lines, count_bounds
from bench.report.failures import describe_failed_pairs
from bench.report.job_use import workers_lines
from bench.report.library_lines import library_lines
from bench.report.number_format import (
    MISSING,
    format_change,
    format_change_interval,
    format_duration,
    format_figure,
)
from bench.report.table import Column, Remark, Row, Section, Table
from bench.report.target import target_lines
from bench.report.terminal import text_width
from bench.stats.comparability import CaseMatching, DescribedCase
from bench.stats.verdicts import MetricVerdict, Verdicts

_LONGEST_HEADING: Final = 12
_SHORT_COMMIT: Final = 7
_NOTHING_SHARED: Final = "No case was timed in both."
_METRICS: Final = {
    "elapsed": "elapsed: faster half of the rounds",
    "p99": "p99: latency of a fetch",
    "cpu": "cpu: user and system of a round",
    "memory": "memory: peak",
}


def comparison_table(title: str, verdicts: Verdicts, notes: Iterable[str] = ()) -> Table:
    """Build the table of the verdicts of a comparison.

    Args:
        title: of the table.
        verdicts: a row for each.
        notes: remarks to make before those on cases and trials.
    """
    headings = ("", *_variant_headings(verdicts), "change", "bounds", "blocks")
    remarks = (
        *notes,
        *comparison_remarks(verdicts),
        *_undecided_metrics(verdicts),
        *bound_lines(verdicts.bounds),
        comparison_conclusion(verdicts),
    )
    return Table(
        title=title,
        columns=(*map(Column, headings), Column("verdict", "left")),
        sections=tuple(
            Section(printable(case), tuple(_row(each) for each in verdicts.metrics if each.case == case))
            for case in dict.fromkeys(each.case for each in verdicts.metrics)
        ),
        legend=_legend(verdicts),
        remarks=tuple(map(Remark, remarks)),
    )


def comparison_remarks(verdicts: Verdicts) -> Iterator[str]:
    """Write a line for each case, trial and number of blocks that was not compared."""
    yield from _unmatched_cases(verdicts)
    yield from _failures(verdicts)
    yield from _disturbances(verdicts)


def descriptive_table(
    names: tuple[str, str],
    described: Iterable[DescribedCase],
    matching: CaseMatching,
    reasons: Iterable[str],
    *,
    are_paired: bool,
) -> Table:
    """Build a table of medians and ratios that are no verdicts, and say why there are none.

    Args:
        names: of both runs or variants.
        described: their cases.
        matching: the cases that both have, or only one.
        reasons: why there are no verdicts.
        are_paired: whether both were measured in the same blocks.
    """
    first, second = map(printable, names)
    rows = tuple(
        Row(
            (
                printable(each.case),
                format_duration(each.first_s),
                format_duration(each.second_s),
                format_change(each.ratio.estimate),
                format_change_interval(each.ratio),
                f"{each.blocks[0]}/{each.blocks[1]}",
                describe_noise(each),
            )
        )
        for each in described
    )
    why = f"No verdicts: {'; '.join(reasons)}."
    if are_paired:
        change, bounds = "typical quotient of the blocks that both have", "its 95% interval"
    else:
        why += " A ratio between sessions includes changes of the machine."
        change = "median quotient of a block of each"
        bounds = "its 95% interval by the noise within both runs, if they vary alike"
    return Table(
        title=f"{first} and {second}, medians of elapsed",
        columns=(
            Column("case", "left"),
            *map(Column, ("first", "second", "change", "bounds", "blocks")),
            Column("noise", "left"),
        ),
        sections=(Section("", rows),) if rows else (),
        legend=f"first: {first}; second: {second}; change: {change}, which is not second ÷ first; "
        f"bounds: {bounds}; blocks: of the first and the second; noise: whether it alone explains the change",
        remarks=tuple(
            map(Remark, (*missing_case_lines(matching), *(() if rows else (_NOTHING_SHARED,)), why))
        ),
    )


def describe_noise(case: DescribedCase) -> str:
    """Say whether the noise within two runs can explain how a case differs between them."""
    return {True: "beyond", False: "within", None: "too few blocks"}[case.is_beyond_noise]


def missing_case_lines(matching: CaseMatching) -> Iterator[str]:
    """Write a line for every case that only one of two runs has, or has by another name."""
    for case in matching.vanished:
        yield f"vanished: {printable(case.plain_id)}"
    for case in matching.new:
        yield f"new: {printable(case.plain_id)}"
    for before, now in matching.renamed:
        yield f"renamed: {printable(before.plain_id)} is {printable(now.plain_id)} now"


def variant_lines(run: Run) -> Iterator[str]:
    """Name the commits of a comparison's variants, and the libraries in which they differ.

    A commit that is the name of its variant is left out. The target is named as well, and strategies to which
    the number of workers made no difference.
    """
    comparison = read_comparison(run)
    if comparison is None:
        return
    yield from target_lines(run)
    yield from workers_lines(run)
    described = [
        f"{printable(variant)} is {printable(short_commit(str(commit)))}"
        f"{' with uncommitted changes' if about.get('dirty') else ''}"
        for variant in (comparison.base, comparison.candidate)
        for about in [about_variant(run, variant)]
        if (commit := about.get("commit")) and not variant.startswith(short_commit(str(commit)))
    ]
    if described:
        yield "; ".join(described)
    labels = dict.fromkeys((comparison.base, comparison.candidate))
    yield from library_lines({label: about_variant(run, label) for label in labels})


def short_commit(commit: str) -> str:
    """Shorten the hash of a commit."""
    return commit[:_SHORT_COMMIT]


def comparison_conclusion(verdicts: Verdicts) -> str:
    """Count the metrics that moved and those that did not, and the bounds."""
    vanished = len(verdicts.vanished)
    missing = f"{plural(vanished, 'case')} of {printable(verdicts.base)} not compared." if vanished else None
    return " ".join(filter(None, (*_count_metrics(verdicts), count_bounds(verdicts.bounds), missing)))


def _count_metrics(verdicts: Verdicts) -> Iterator[str]:
    base, candidate = printable(verdicts.base), printable(verdicts.candidate)
    total = plural(len(verdicts.metrics), "metric")
    found: dict[Verdict, list[MetricVerdict]] = defaultdict(list)
    for each in verdicts.metrics:
        found[each.verdict].append(each)
    for verdict, moved in (("slower", found["slower"]), ("faster", found["faster"])):
        if moved:
            names = join_and(list(map(_name_metric, moved)))
            yield f"{candidate} is {verdict} than {base} in {len(moved)} of {total}: {names}."
    if found["equivalent"]:
        yield f"{len(found['equivalent'])} of {total} within the margin."
    if found["inconclusive"]:
        yield f"{len(found['inconclusive'])} of {total} inconclusive."


def describe_ratio(each: MetricVerdict) -> str:
    """Write the change of a metric with its bounds, and its number of blocks."""
    if each.ratio is None:
        return "no figures"
    bounds = format_change_interval(each.ratio)
    return f"{format_change(each.ratio.estimate)} ({bounds}), {plural(each.blocks, 'block')}"


def _row(each: MetricVerdict) -> Row:
    return Row(
        (
            each.metric,
            format_figure(each.metric, each.base),
            format_figure(each.metric, each.candidate),
            MISSING if each.ratio is None else format_change(each.ratio.estimate),
            format_change_interval(each.ratio),
            str(each.blocks),
            each.verdict,
        )
    )


def _variant_headings(verdicts: Verdicts) -> tuple[str, str]:
    """Return the names of both variants, or their roles where the names would leave no room for figures."""
    base, candidate = printable(verdicts.base), printable(verdicts.candidate)
    are_short = max(text_width(base), text_width(candidate)) <= _LONGEST_HEADING
    return (base, candidate) if are_short else ("base", "candidate")


def _name_metric(each: MetricVerdict) -> str:
    change = "" if each.ratio is None else f" {format_change(each.ratio.estimate)}"
    return f"{each.metric} of {printable(each.case)}{change}"


def _legend(verdicts: Verdicts) -> str:
    margins = sorted({each.margin for each in verdicts.metrics})
    within = join_and(
        [f"{format_change(1 / (1 + margin))} to {format_change(1 + margin)}" for margin in margins]
    )
    names = (printable(verdicts.base), printable(verdicts.candidate))
    roles = () if _variant_headings(verdicts) == names else (f"base: {names[0]}", f"candidate: {names[1]}")
    shown = {each.metric for each in verdicts.metrics}
    return "; ".join(
        (
            *roles,
            *(_METRICS[metric] for metric in METRICS if metric in shown),
            "change: of both variants in the same block, on average",
            f"equivalent: within {within}",
            "bounds: at the last look, each wrong in 5% at the most; a false slower in any metric: 1%",
        )
    )


def _failures(verdicts: Verdicts) -> Iterator[str]:
    for case, trials in verdicts.failed.items():
        yield f"! {printable(case)}: {describe_failed_pairs(trials)}"


def missing_cases_reason(verdicts: Verdicts) -> str:
    """Say which cases of the base the candidate lacks, or why that is not known."""
    if not verdicts.vanished:
        return f"the cases of {printable(verdicts.base)} are not known, as {printable(verdicts.unknown_base)}"
    missing = count_names(tuple(map(printable, verdicts.vanished)), "case", "cases")
    return f"{printable(verdicts.candidate)} lacks {missing}"


def _unmatched_cases(verdicts: Verdicts) -> Iterator[str]:
    if verdicts.unknown_base:
        reason = printable(verdicts.unknown_base)
        yield f"! cases that only {printable(verdicts.base)} has are not known: {reason}"
    for case in verdicts.vanished:
        yield f"vanished: {printable(case)}; {printable(verdicts.base)} alone has it"
    for case in verdicts.new:
        yield f"new: {printable(case)}; {printable(verdicts.candidate)} alone has it"


def _disturbances(verdicts: Verdicts) -> Iterator[str]:
    if verdicts.spoilt:
        yield f"{plural(verdicts.spoilt, 'block')} left out, as their trials were disturbed."


def count_undecided(verdicts: Verdicts) -> Iterator[str]:
    """Count the undecided metrics, in one line for those with the same reason."""
    for why, count in Counter(each.why for each in verdicts.metrics if each.why).items():
        yield f"? {plural(count, 'metric')} inconclusive: {why}"


def _undecided_metrics(verdicts: Verdicts) -> Iterator[str]:
    """Say why metrics are undecided, in one line for the metrics of a case with the same reason."""
    reasons: dict[tuple[str, str], list[Metric]] = {}
    for each in verdicts.metrics:
        if each.why:
            reasons.setdefault((each.case, each.why), []).append(each.metric)
    for (case, why), metrics in reasons.items():
        yield f"? {printable(case)}: {join_and(metrics)} inconclusive: {why}"
