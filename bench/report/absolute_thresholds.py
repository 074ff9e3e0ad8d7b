"""How the candidate of a contest keeps to its bounds, in words."""

from collections.abc import Iterator, Sequence

from bench.model.comparison import BoundedFigure
from bench.model.text import join_and, plural, printable
from bench.report.number_format import duration, percent
from bench.stats.absolute_thresholds import BoundVerdict
from bench.stats.metrics import SUMMED

_MIB = 1 << 20


def bound_lines(found: Sequence[BoundVerdict]) -> Iterator[str]:
    """Yield a line for each bound that is broken or open in a case, and one for all that are kept."""
    for each in found:
        if each.verdict == "broken":
            yield f"! {printable(each.case)}: {bound_words(each)} is broken: {found_words(each)}"
    for each in found:
        if each.verdict == "open":
            yield f"? {printable(each.case)}: {bound_words(each)} is open: {found_words(each)}"
    if kept := [each for each in found if each.verdict == "kept"]:
        yield f"kept: {join_and([f'{bound_words(each)} by {printable(each.case)}' for each in kept])}"


def bounds_conclusion(found: Sequence[BoundVerdict]) -> str:
    """Sum the bounds up in a sentence; nothing where there are none."""
    counts = [(word, sum(each.verdict == word for each in found)) for word in ("broken", "open", "kept")]
    told = [f"{count} {word}" for word, count in counts if count]
    return f"Of {plural(len(found), 'bound')} {join_and(told)}." if told else ""


def amount(figure: BoundedFigure, value: float) -> str:
    """Write a figure with its unit."""
    if figure == "memory":
        return f"{value / _MIB:.1f} MiB"
    if figure == "efficiency":
        return percent(value)
    return f"{value:,.0f}" if figure == "errors" else duration(value)


def bound_words(each: BoundVerdict) -> str:
    """Write a bound as the config has it, nearly."""
    bound = each.bound
    return f"{bound.figure} {bound.relation} {amount(bound.figure, bound.value)}"


def found_words(each: BoundVerdict) -> str:
    """Write what was found, and how sure it is."""
    if each.found is None:
        return "it was not measured"
    figure, found = each.bound.figure, each.found
    blocks, estimate = plural(each.blocks, "block"), amount(figure, found.estimate)
    told = f"{estimate}, and {blocks} bear no interval"
    if figure == "errors":
        told = f"up to {estimate} in a round, in {blocks}"
    elif found.low is not None and found.high is not None:
        told = f"{estimate}, {amount(figure, found.low)} to {amount(figure, found.high)}, in {blocks}"
    if figure in SUMMED and each.repeats > 1:
        told += f"; each round was as long as {each.repeats:,} of the config's"
    return told
