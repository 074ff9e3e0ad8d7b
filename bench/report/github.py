"""Write the verdicts of a comparison for GitHub: a job summary, and annotations of the workflow."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bench.model.text import plural, printable
from bench.report.absolute_thresholds import describe_bound, describe_finding
from bench.report.comparison_summary import comparison_summary
from bench.report.comparison_table import comparison_conclusion, comparison_table, describe_ratio
from bench.report.failures import describe_failed_trials
from bench.report.markdown import escape_paragraph, escape_text, tables_to_markdown
from bench.stats.verdicts import Overall, Verdicts

_HEADLINES: Final[Mapping[Overall, str]] = {
    "passed": "passed",
    "regression": "a regression",
    "failed": "trials failed",
    "inconclusive": "inconclusive",
}


def github_summary(name: str, verdicts: Verdicts, overall: Overall, notes: Iterable[str] = ()) -> str:
    """Write what has changed, with the rest folded, as GitHub-flavoured Markdown, which GitLab reads as well.

    Args:
        name: of the run.
        verdicts: of the comparison.
        overall: the verdict on the whole run, bounds and vanished cases included.
        notes: further remarks, a paragraph each.
    """
    about, first = comparison_summary(name, verdicts, "", notes, hidden={"equivalent"})
    every = comparison_table("", verdicts)
    return "\n".join(
        (
            f"## flagbench: {_HEADLINES[overall]}",
            "",
            escape_paragraph(_lead(verdicts, overall)),
            "",
            escape_paragraph(about.remarks[0].text),
            "",
            tables_to_markdown([first]),
            f"<details><summary>All {plural(len(verdicts.metrics), 'metric')}</summary>",
            "",
            tables_to_markdown([every]),
            "</details>",
            "",
            f"For more: `flagbench compare RUN` and `flagbench show RUN`, with {escape_text(name)} as RUN.",
            "",
        )
    )


def _lead(verdicts: Verdicts, overall: Overall) -> str:
    """Say that the gate ran, and how many metrics have changed."""
    cases = plural(len({each.case for each in verdicts.metrics}), "case")
    blocks = max((each.blocks for each in verdicts.metrics), default=0)
    compared = (
        f"{plural(len(verdicts.metrics), 'metric')} of {cases} compared over up to {plural(blocks, 'block')}."
    )
    is_same = bool(verdicts.metrics) and all(each.verdict == "equivalent" for each in verdicts.metrics)
    if is_same and overall == "passed":
        return f"The gate ran, and no metric changed by its margin: {compared}"
    return f"The gate ran: {compared} {comparison_conclusion(verdicts)}"


def github_annotations(verdicts: Verdicts) -> Iterator[str]:
    """Write workflow commands, a line each; printed to stdout, GitHub shows them as annotations.

    There is an error for each metric that is *slower*, each bound that is *broken*, and each case that has
    vanished or in which the candidate failed; then a warning for each metric that is *inconclusive*, each
    bound that is *open*, and each case in which the base failed. GitHub shows the first ten of a kind a step.
    """
    for each in findings(verdicts):
        yield _command(each.kind, each.title, each.message)


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of a comparison: an error fails the gate, and a warning leaves it undecided.

    Attributes:
        title: the case, and what is the matter with it; the same in every run.
        message: the figures.
    """

    kind: Literal["error", "warning"]
    title: str
    message: str


def findings(verdicts: Verdicts) -> Iterator[Finding]:
    """Yield the errors, and then the warnings."""
    for title, message in _errors(verdicts):
        yield Finding("error", title, message)
    for title, message in _warnings(verdicts):
        yield Finding("warning", title, message)


def _errors(verdicts: Verdicts) -> Iterator[tuple[str, str]]:
    variants = _variants(verdicts)
    for each in verdicts.metrics:
        if each.verdict == "slower":
            yield f"{each.case}: {each.metric} is slower", f"{variants}: {describe_ratio(each)}"
    for case, trials in verdicts.failures(verdicts.candidate).items():
        yield f"{case}: trials failed", f"{variants}: {describe_failed_trials(trials)}"
    if verdicts.unknown_base:
        yield "cases of the base are not known", verdicts.unknown_base
    for case in verdicts.vanished:
        yield f"{case}: vanished", f"{verdicts.candidate} lacks this case"
    yield from _bounds_that_are("broken", verdicts)


def _warnings(verdicts: Verdicts) -> Iterator[tuple[str, str]]:
    variants = _variants(verdicts)
    for each in verdicts.metrics:
        if each.verdict == "inconclusive":
            yield f"{each.case}: {each.metric} is inconclusive", f"{variants}: {each.why}"
    for case, trials in verdicts.failures(verdicts.base).items():
        title = f"{case}: trials of the base failed"
        yield title, f"{variants}: {describe_failed_trials(trials)}"
    yield from _bounds_that_are("open", verdicts)


def _bounds_that_are(verdict: Literal["broken", "open"], verdicts: Verdicts) -> Iterator[tuple[str, str]]:
    for each in verdicts.bounds:
        if each.verdict == verdict:
            yield f"{each.case}: {describe_bound(each)} is {verdict}", describe_finding(each)


def _variants(verdicts: Verdicts) -> str:
    return f"{verdicts.candidate} against {verdicts.base}"


def _command(kind: Literal["error", "warning"], title: str, message: str) -> str:
    property_ = _escape(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={property_}::{_escape(message)}"


def _escape(text: str) -> str:
    """Escape a message so that it cannot end its line.

    The percent sign is the escape and comes first.
    """
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
