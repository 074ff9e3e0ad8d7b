"""A run as JUnit XML, which CI systems show as tests; valid by the schema of Jenkins' xUnit plugin."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Final, Literal, TypeAlias
from xml.etree import ElementTree as ET

from bench.model.comparison import Comparison
from bench.model.results import Measurement, Run
from bench.model.text import plural, printable
from bench.report.absolute_thresholds import bound_words, found_words
from bench.report.comparison_table import bounds, change, value
from bench.report.export.cases import entry_names, failed_trials
from bench.report.failures import failed_words
from bench.report.number_format import duration
from bench.stats.absolute_thresholds import BoundVerdict, bound_verdicts
from bench.stats.case_summary import block_sample
from bench.stats.intervals import median_interval
from bench.stats.verdicts import MetricVerdict, comparison_verdicts
from bench.storage.comparison import read_comparison

_VANISHED: Final = "vanished"
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
Problem: TypeAlias = Literal["failure", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class _Test:
    """One test case.

    Attributes:
        figures: what was measured, for its output.
        problem: ``None`` where it passed.
        kind: of the problem, in a word.
        message: what the problem is.
        took_s: ``None`` where the time is another test's.
    """

    group: str
    name: str
    figures: str
    problem: Problem | None = None
    kind: str = ""
    message: str = ""
    took_s: float | None = None


def to_junit(run: Run, *, allow_missing: bool = False) -> str:
    """Write one test a case; of a contest, one for each metric of a case and one for its trials.

    A test fails where the candidate is *slower*, or lacks the case. It is an error where trials failed, the
    candidate's in a contest, and skipped where only the base's did, where the verdict is *inconclusive*, or
    where nothing was measured. That the candidate lacks a case is a failure unless that is allowed.

    Raises:
        UnreadableResultError: what the run keeps of its contest is not that of its cases.
    """
    contest = read_comparison(run)
    tests = list(_plain(run) if contest is None else _contested(run, contest))
    if allow_missing:
        tests = [test for test in tests if test.kind != _VANISHED]
    counts = {
        "tests": str(len(tests)),
        "failures": str(sum(test.problem == "failure" for test in tests)),
        "errors": str(sum(test.problem == "error" for test in tests)),
    }
    root = ET.Element("testsuites", {"name": "flagbench", **counts})
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": printable(run.name),
            **counts,
            "skipped": str(sum(test.problem == "skipped" for test in tests)),
            "time": f"{fsum(test.took_s or 0 for test in tests):.3f}",
            "timestamp": printable(run.started),
        },
    )
    for test in tests:
        _add(suite, test)
    ET.indent(root)
    return f"{_DECLARATION}{ET.tostring(root, encoding='unicode')}\n"


def _add(suite: ET.Element, test: _Test) -> None:
    time = {} if test.took_s is None else {"time": f"{test.took_s:.3f}"}
    found = ET.SubElement(suite, "testcase", {"classname": test.group, "name": test.name, **time})
    if test.problem is not None:
        ET.SubElement(found, test.problem, {"type": test.kind, "message": test.message})
    if test.figures:
        ET.SubElement(found, "system-out").text = test.figures


def _plain(run: Run) -> Iterator[_Test]:
    """Test whether all trials of each case succeeded."""
    names = entry_names(run)
    for case in run.cases:
        trials = [trial for trial in run.trials if trial.case == case.id]
        yield _trials_test(printable(case.profile.name), names[case.id], trials)


def _trials_test(group: str, name: str, trials: Sequence[Measurement]) -> _Test:
    failed, sample = failed_trials(trials), block_sample(trials)
    took_s = fsum(trial.took_s for trial in trials)
    figures = ""
    if sample:
        median_s = median_interval(list(sample.values())).estimate
        figures = f"median {duration(median_s)}, {plural(len(sample), 'block')}"
    if failed:
        return _Test(group, name, figures, "error", failed[0].outcome, failed_words(failed), took_s)
    if not sample:
        return _Test(group, name, figures, "skipped", "unmeasured", "it was not measured", took_s)
    return _Test(group, name, figures, took_s=took_s)


def _contested(run: Run, contest: Comparison) -> Iterator[_Test]:
    """Test each metric of each case, and whether all trials of the case succeeded."""
    verdicts = comparison_verdicts(contest, run.trials)
    for case in contest.margins:
        for each in verdicts.metrics:
            if each.case == case:
                yield _metric_test(each, contest)
        of_case = [trial for trial in run.trials if trial.case.rpartition("@")[0] == case]
        sides = [verdicts.failures(side).get(case, ()) for side in (contest.candidate, contest.base)]
        yield _contest_trials_test(case, of_case, *sides)
    for bound in bound_verdicts(contest, run.trials):
        yield _bound_test(bound)
    for case, side in contest.alone.items():
        if side == contest.base:
            message = f"{printable(contest.candidate)} lacks this case"
            yield _Test(printable(case), "presence", "", "failure", _VANISHED, message)


def _contest_trials_test(
    case: str,
    trials: Sequence[Measurement],
    candidates: Sequence[Measurement],
    bases: Sequence[Measurement],
) -> _Test:
    """Test the trials of both sides, of which these failed; their times are those of the metrics."""
    # both sides of a duet live at the same time
    took_s = fsum(max(pair) for pair in zip(*(iter([trial.took_s for trial in trials]),) * 2, strict=True))
    if failed := candidates or bases:
        side = printable(failed[0].case.rpartition("@")[2])
        message = f"{failed_words(failed)} (by {side})"
        problem: Problem = "error" if candidates else "skipped"
        return _Test(printable(case), "trials", "", problem, failed[0].outcome, message, took_s)
    return _Test(printable(case), "trials", "", took_s=took_s)


def _metric_test(each: MetricVerdict, contest: Comparison) -> _Test:
    figures = _figures(each, contest)
    group = printable(each.case)
    if each.verdict == "slower":
        return _Test(group, each.metric, figures, "failure", "slower", figures)
    if each.verdict == "inconclusive":
        return _Test(group, each.metric, figures, "skipped", "inconclusive", f"inconclusive: {each.why}")
    return _Test(group, each.metric, figures)


def _bound_test(each: BoundVerdict) -> _Test:
    """Test whether the candidate keeps to a bound."""
    group, name, found = printable(each.case), bound_words(each), found_words(each)
    if each.verdict == "broken":
        return _Test(group, name, found, "failure", "broken", f"{name} is broken: {found}")
    if each.verdict == "open":
        return _Test(group, name, found, "skipped", "open", f"{name} is open: {found}")
    return _Test(group, name, found)


def _figures(each: MetricVerdict, contest: Comparison) -> str:
    """Say what was found of a metric in a line."""
    if each.ratio is None:
        return ""
    base, candidate = printable(contest.base), printable(contest.candidate)
    return (
        f"{each.metric} is {each.verdict}: {value(each.metric, each.base)} of {base}, "
        f"{value(each.metric, each.candidate)} of {candidate}, {change(each.ratio.estimate)} "
        f"({bounds(each.ratio)}), {plural(each.blocks, 'block')}"
    )
