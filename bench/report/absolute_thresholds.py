"""Describe how a candidate keeps to its bounds, for comparison tables, JUnit and GitHub."""

from collections.abc import Iterator, Sequence

from bench.model.comparison import Bound
from bench.model.text import join_and, plural, printable
from bench.report.number_format import format_figure, format_interval
from bench.stats.absolute_thresholds import BoundVerdict
from bench.stats.metrics import SUMMED


def bound_lines(verdicts: Sequence[BoundVerdict]) -> Iterator[str]:
    """Write a line for each broken or open bound of a case.

    The kept bounds share a line.
    """
    for sign, verdict in (("!", "broken"), ("?", "open")):
        for each in verdicts:
            if each.verdict == verdict:
                bound, found = describe_bound(each), describe_finding(each)
                yield f"{sign} {printable(each.case)}: {bound} is {verdict}: {found}"
    if kept := [each for each in verdicts if each.verdict == "kept"]:
        yield f"kept: {join_and([f'{describe_bound(each)} by {printable(each.case)}' for each in kept])}"


def count_bounds(verdicts: Sequence[BoundVerdict]) -> str | None:
    """Count broken, open and kept bounds in a sentence; None if there are no bounds."""
    counts = [(word, sum(each.verdict == word for each in verdicts)) for word in ("broken", "open", "kept")]
    found = [f"{count} {word}" for word, count in counts if count]
    return f"Of {plural(len(verdicts), 'bound')} {join_and(found)}." if found else None


def describe_bound(verdict: BoundVerdict) -> str:
    """Write the bound of a verdict."""
    return write_bound(verdict.bound)


def write_bound(bound: Bound) -> str:
    """Write a bound nearly as the config does."""
    return f"{bound.figure} {bound.relation} {format_figure(bound.figure, bound.value)}"


def describe_finding(verdict: BoundVerdict) -> str:
    """Write the measured figure of a bound, and how certain it is."""
    if verdict.found is None:
        return "it was not measured"
    figure, found = verdict.bound.figure, verdict.found
    blocks, estimate = plural(verdict.blocks, "block"), format_figure(figure, found.estimate)
    if figure == "errors":
        text = f"up to {estimate} in a round, in {blocks}"
    elif found.low is None:
        text = f"{estimate}; {blocks} are too few for an interval"
    else:
        bounds = format_interval(found, lambda value: format_figure(figure, value), " to ")
        text = f"{estimate}, {bounds}, in {blocks}"
    if figure in SUMMED and verdict.repeats > 1:
        text += f"; each round was as long as {verdict.repeats:,} of the config's"
    return text
