"""Write the sentences on where one series overtakes another, over counts of workers, downloads or work."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Final, TypeVar

from bench.model.text import join_and
from bench.report.number_format import MISSING, format_interval, format_ratio
from bench.stats.crossover import Crossover, SeriesPair
from bench.stats.pairwise import PairVerdict, blocks_needed

Name = TypeVar("Name", bound=Hashable)

_NAMED_PAIRS: Final = 3
"""Pairs without a crossover are named up to this number; more are counted."""


def crossover_lines(
    pairs: Sequence[SeriesPair[Name]],
    unit: str,
    any_count: str,
    describe: Callable[[Name], str],
    write: Callable[[float], str] = format_ratio,
) -> Iterator[str]:
    """Name the series that overtake others, and say where there are too few blocks to tell.

    Args:
        pairs: of all series under the same conditions.
        unit: what is counted, in the plural.
        any_count: what a sentence calls all counts: ``any number of workers``.
        describe: names a series in a sentence.
        write: formats the place of a crossover.
    """
    orders = [order for pair in pairs for order in pair.orders.values()]
    if any(order.is_testable for order in orders):
        yield from _crossovers(pairs, unit, any_count, describe, write)
    yield from _blocks_needed(orders)


def describe_order(pair: SeriesPair[Name], crossover: Crossover, describe: Callable[[Name], str]) -> str:
    """Say which of the two series overtakes the other at one of their crossovers."""
    both = (pair.first, pair.second)
    ahead, behind = both if pair.orders[crossover.below].verdict == "faster" else both[::-1]
    return f"{describe(behind)} overtakes {describe(ahead)}"


def _crossovers(
    pairs: Sequence[SeriesPair[Name]],
    unit: str,
    any_count: str,
    describe: Callable[[Name], str],
    write: Callable[[float], str],
) -> Iterator[str]:
    """Write a sentence for each crossover; count the pairs without one if they are many."""
    without = [pair for pair in pairs if not pair.crossovers]
    for pair in pairs:
        for crossover in pair.crossovers:
            place = _describe_place(crossover, unit, write)
            yield f"{describe_order(pair, crossover, describe)} {place}."
    if len(without) > _NAMED_PAIRS:
        which = "the other" if len(without) < len(pairs) else "any of the"
        yield f"No crossover is shown for {which} {len(without)} pairs."
        return
    for pair in without:
        both = (pair.first, pair.second)
        leads = [
            f"{describe(each)} is ahead with {join_and([f'{count:,}' for count in counts])} {unit}"
            for each in both
            if (counts := pair.ahead(each))
        ]
        found = " and ".join(leads) or f"neither is shown to be ahead with {any_count}"
        yield f"No crossover of {' and '.join(map(describe, both))} is shown: {found}."


def _describe_place(crossover: Crossover, unit: str, write: Callable[[float], str]) -> str:
    between = f"between {crossover.below:,} and {crossover.above:,} {unit}"
    if crossover.at is None:
        return between
    bounds = format_interval(crossover.at, write, " to ")
    return f"{between}, at about {write(crossover.at.estimate)}{'' if bounds == MISSING else f' ({bounds})'}"


def _blocks_needed(orders: Sequence[PairVerdict]) -> Iterator[str]:
    """Say in how many places there are too few blocks to tell which series is ahead."""
    short = [order.blocks for order in orders if not order.is_testable]
    if not short:
        return
    needed = blocks_needed(len(orders))
    if len(short) == len(orders):
        yield (
            f"There are too few blocks for crossovers ({max(short)}): telling which series is ahead in "
            f"{len(orders)} places takes {needed}."
        )
    else:
        yield (
            f"{len(short)} of {len(orders)} places have too few blocks to tell which series is ahead: "
            f"so many places take {needed}."
        )
