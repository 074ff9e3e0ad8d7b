"""Export a run as JUnit XML for CI systems.

The document is valid by the schema of Jenkins' xUnit plugin.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Final, Literal, TypeAlias
from xml.etree import ElementTree as ET

from bench.model.comparison import Comparison
from bench.model.results import Measurement, Run
from bench.model.stored_comparison import read_comparison
from bench.model.text import plural, printable
from bench.report.absolute_thresholds import describe_bound, describe_finding
from bench.report.case_label import describe_conditions
from bench.report.comparison_table import describe_ratio
from bench.report.export.cases import entry_names, failed_trials, trials_by_case
from bench.report.failures import describe_failed_pairs, describe_failed_trials
from bench.report.number_format import format_duration, format_figure
from bench.stats.absolute_thresholds import BoundVerdict
from bench.stats.case_summary import block_sample
from bench.stats.intervals import median_interval
from bench.stats.verdicts import MetricVerdict, run_verdicts

_VANISHED: Final = "vanished"
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
Problem: TypeAlias = Literal["failure", "error", "skipped"]


_PROBLEMS: Final[Mapping[str, Problem]] = {
    "slower": "failure",
    "broken": "failure",
    "inconclusive": "skipped",
    "open": "skipped",
}
"""By verdict on a metric or a bound; a test with any other verdict passes."""


@dataclass(frozen=True, slots=True)
class _Test:
    """One test case.

    Attributes:
        figures: the output of the test.
        problem: None if it passed.
        kind: of the problem, in a word.
        message: the problem in a sentence.
        took_s: None if another test has the time.
    """

    group: str
    name: str
    figures: str
    problem: Problem | None = None
    kind: str = ""
    message: str = ""
    took_s: float | None = None


def to_junit(run: Run, *, allow_missing: bool = False) -> str:
    """Write a test for each case.

    A comparison has one for each metric of a case, and one for its trials. A test fails where the candidate
    is *slower*, or lacks the case. It is an error where trials failed (in a comparison, those of the
    candidate), and skipped where only trials of the base failed, where the verdict is *inconclusive*, or
    where nothing was measured. That the candidate lacks a case is a failure unless ``allow_missing``.

    Raises:
        UnreadableResultError: the stored comparison is not that of the run's cases.
    """
    comparison = read_comparison(run)
    tests = list(_case_tests(run) if comparison is None else _comparison_tests(run, comparison))
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
        _add_test(suite, test)
    ET.indent(root)
    return f"{_DECLARATION}{ET.tostring(root, encoding='unicode')}\n"


def _add_test(suite: ET.Element, test: _Test) -> None:
    time = {} if test.took_s is None else {"time": f"{test.took_s:.3f}"}
    element = ET.SubElement(suite, "testcase", {"classname": test.group, "name": test.name, **time})
    if test.problem is not None:
        ET.SubElement(element, test.problem, {"type": test.kind, "message": test.message})
    if test.figures:
        ET.SubElement(element, "system-out").text = test.figures


def _case_tests(run: Run) -> Iterator[_Test]:
    """Test whether all trials of each case succeeded."""
    names, trials = entry_names(run), trials_by_case(run)
    for case in run.cases:
        yield _case_test(describe_conditions(case), names[case.id], trials[case.id])


def _case_test(group: str, name: str, trials: Sequence[Measurement]) -> _Test:
    failed, sample = failed_trials(trials), block_sample(trials)
    took_s = fsum(trial.took_s for trial in trials)
    figures = ""
    if sample:
        median_s = median_interval(list(sample.values())).estimate
        figures = f"median {format_duration(median_s)}, {plural(len(sample), 'block')}"
    if failed:
        message = describe_failed_trials(failed)
        return _Test(group, name, figures, "error", failed[0].outcome, message, took_s)
    if not sample:
        return _Test(group, name, figures, "skipped", "unmeasured", "it was not measured", took_s)
    return _Test(group, name, figures, took_s=took_s)


def _comparison_tests(run: Run, comparison: Comparison) -> Iterator[_Test]:
    """Test each metric of each case, whether its trials succeeded, bounds, and vanished cases."""
    verdicts = run_verdicts(run)
    variants = (comparison.candidate, comparison.base)
    for case in comparison.margins:
        for each in verdicts.metrics:
            if each.case == case:
                yield _metric_test(each, comparison)
        trials = [trial for trial in run.trials if trial.case.rpartition("@")[0] == case]
        failed = [verdicts.failures(variant).get(case, ()) for variant in variants]
        yield _pairs_test(case, trials, *failed)
    for bound in verdicts.bounds:
        yield _bound_test(bound)
    if comparison.unknown_base:
        message = f"cases that only {printable(comparison.base)} has are not known"
        reason = printable(comparison.unknown_base)
        yield _Test("base", "presence", "", "failure", _VANISHED, f"{message}: {reason}")
    for case, variant in comparison.alone.items():
        if variant == comparison.base:
            message = f"{printable(comparison.candidate)} lacks this case"
            yield _Test(printable(case), "presence", "", "failure", _VANISHED, message)


def _pairs_test(
    case: str,
    trials: Sequence[Measurement],
    candidate_failures: Sequence[Measurement],
    base_failures: Sequence[Measurement],
) -> _Test:
    """Test the paired trials of a case; their time is that of its metrics as well."""
    # both trials of a pair run at the same time
    took_s = fsum(max(pair) for pair in zip(*(iter([trial.took_s for trial in trials]),) * 2, strict=True))
    if failed := candidate_failures or base_failures:
        message = describe_failed_pairs(failed)
        problem: Problem = "error" if candidate_failures else "skipped"
        return _Test(printable(case), "trials", "", problem, failed[0].outcome, message, took_s)
    return _Test(printable(case), "trials", "", took_s=took_s)


def _metric_test(each: MetricVerdict, comparison: Comparison) -> _Test:
    figures = ""
    if each.ratio is not None:
        base, candidate = printable(comparison.base), printable(comparison.candidate)
        figures = (
            f"{each.metric} is {each.verdict}: {format_figure(each.metric, each.base)} of {base}, "
            f"{format_figure(each.metric, each.candidate)} of {candidate}, {describe_ratio(each)}"
        )
    message = figures if each.verdict == "slower" else f"inconclusive: {each.why}"
    return _verdict_test(printable(each.case), each.metric, each.verdict, figures, message)


def _bound_test(each: BoundVerdict) -> _Test:
    """Test whether the candidate keeps to a bound."""
    name, found = describe_bound(each), describe_finding(each)
    return _verdict_test(
        printable(each.case), name, each.verdict, found, f"{name} is {each.verdict}: {found}"
    )


def _verdict_test(group: str, name: str, verdict: str, figures: str, message: str) -> _Test:
    problem = _PROBLEMS.get(verdict)
    if problem is None:
        return _Test(group, name, figures)
    return _Test(group, name, figures, problem, verdict, message)
