"""What a contest has found, as GitHub shows it: a job summary, and annotations of the workflow."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from bench.model.text import plural, printable
from bench.report.absolute_thresholds import bound_words, found_words
from bench.report.comparison_table import bounds, change, comparison_table
from bench.report.failures import failed_words
from bench.report.markdown import escape_text
from bench.report.table import table_to_markdown
from bench.stats.absolute_thresholds import BoundVerdict
from bench.stats.verdicts import MetricVerdict, Overall, Verdicts

_HEADLINES: Final[Mapping[Overall, str]] = {
    "passed": "passed",
    "regression": "a regression",
    "failed": "trials failed",
    "inconclusive": "inconclusive",
}


def github_summary(
    name: str, verdicts: Verdicts, ruling: Overall, kept: Sequence[BoundVerdict], notes: Iterable[str] = ()
) -> str:
    """Write what belongs into the file that ``GITHUB_STEP_SUMMARY`` names, as GitHub-flavoured Markdown.

    Args:
        name: of the run.
        verdicts: what was found.
        ruling: what that comes to, bounds and lost cases included.
        kept: how the candidate keeps to its bounds.
        notes: what else is to be said, a paragraph each.
    """
    sheet = comparison_table(_sides(verdicts), verdicts, notes, kept)
    return "\n".join(
        (
            f"## flagbench: {_HEADLINES[ruling]}",
            "",
            table_to_markdown(sheet),
            f"More of it: `flagbench compare RUN` and `flagbench show RUN`, RUN being {escape_text(name)}.",
            "",
        )
    )


def github_annotations(verdicts: Verdicts, kept: Sequence[BoundVerdict]) -> Iterator[str]:
    """Write a workflow command, one line each, for all that is wrong: printed to stdout, GitHub shows them.

    An error for each metric that is *slower*, each bound that is *broken* and each case that has vanished or
    in which the candidate failed, then a warning for each metric that is *inconclusive*, each bound that is
    *open* and each case in which the base failed.
    GitHub shows the first ten of a kind a step.
    """
    for title, message in _errors(verdicts, kept):
        yield _command("error", title, message)
    for title, message in _warnings(verdicts, kept):
        yield _command("warning", title, message)


def _errors(verdicts: Verdicts, kept: Sequence[BoundVerdict]) -> Iterator[tuple[str, str]]:
    sides = _sides(verdicts)
    for each in verdicts.metrics:
        if each.verdict == "slower":
            yield f"{each.case}: {each.metric} is slower", f"{sides}: {_figures(each)}"
    for case, trials in verdicts.failures(verdicts.candidate).items():
        yield f"{case}: trials failed", f"{sides}: {failed_words(trials)}"
    for case in verdicts.vanished:
        yield f"{case}: vanished", f"{verdicts.candidate} lacks this case"
    for bound in kept:
        if bound.verdict == "broken":
            yield f"{bound.case}: {bound_words(bound)} is broken", found_words(bound)


def _warnings(verdicts: Verdicts, kept: Sequence[BoundVerdict]) -> Iterator[tuple[str, str]]:
    for each in verdicts.metrics:
        if each.verdict == "inconclusive":
            yield f"{each.case}: {each.metric} is inconclusive", f"{_sides(verdicts)}: {each.why}"
    for case, trials in verdicts.failures(verdicts.base).items():
        yield f"{case}: trials of {verdicts.base} failed", f"{_sides(verdicts)}: {failed_words(trials)}"
    for bound in kept:
        if bound.verdict == "open":
            yield f"{bound.case}: {bound_words(bound)} is open", found_words(bound)


def _sides(verdicts: Verdicts) -> str:
    return f"{verdicts.candidate} against {verdicts.base}"


def _figures(each: MetricVerdict) -> str:
    if each.ratio is None:
        return "no figures"
    return f"{change(each.ratio.estimate)} ({bounds(each.ratio)}), {plural(each.blocks, 'block')}"


def _command(kind: Literal["error", "warning"], title: str, message: str) -> str:
    return f"::{kind} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    """Write a message so that it cannot end its line; the percent sign is the escape and comes first."""
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
