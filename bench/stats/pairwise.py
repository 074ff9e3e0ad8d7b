"""Two cases of one run, compared block by block."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar

from bench.stats.intervals import Interval
from bench.stats.signed_rank import p_value, shift_interval

Sample: TypeAlias = Mapping[int, float]
"""The value of each block in which a case succeeded, in seconds."""


@dataclass(frozen=True, slots=True)
class PairedRatio:
    """How many times longer the second side takes than the first.

    Attributes:
        ratio: second ÷ first, with its 95 % interval.
        p: two-sided probability of this much of a difference between equal sides.
    """

    ratio: Interval
    p: float
    blocks: int


def compare_cases(first: Sequence[float], second: Sequence[float]) -> PairedRatio:
    """Compare two samples of block values, position by position the same block.

    The blocks are the unit of replication: drift hits both sides of a block alike, and rounds within
    one process share that process's luck (Kalibera & Jones, ISMM 2013).
    """
    # a difference of logarithms, as the logarithm of a quotient is not quite that of its inverse, negated
    differences = [math.log(b) - math.log(a) for a, b in zip(first, second, strict=True)]
    shift = shift_interval(differences)
    ratio = Interval(math.exp(shift.estimate), _exp(shift.low), _exp(shift.high))
    return PairedRatio(ratio, p_value(differences), len(differences))


def compare_samples(first: Sample, second: Sample) -> PairedRatio | None:
    """Compare two cases over the blocks that they share; ``None`` if there are none."""
    shared = sorted(first.keys() & second.keys())
    if not shared:
        return None
    return compare_cases([first[block] for block in shared], [second[block] for block in shared])


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjust p-values for their number, in the order given (Holm, *Scand. J. Statist.* 6, 1979)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for step, index in enumerate(order):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - step)))
        adjusted[index] = highest
    return tuple(adjusted)


def _exp(value: float | None) -> float | None:
    return None if value is None else math.exp(value)


SIGNIFICANCE: Final = 0.05

PairVerdict: TypeAlias = Literal["faster", "slower", "tie", "too few blocks"]

Pair = TypeVar("Pair", bound=Hashable)


@dataclass(frozen=True, slots=True)
class PairVerdicts:
    """What one of several comparisons bears.

    Attributes:
        ratio: second ÷ first, or how many times faster the first side is, with its own 95 % interval.
        p: two-sided, adjusted for the number of comparisons.
        blocks: blocks that both sides share.
        verdict: on the first side against the second, 95 % sure over all comparisons together.
    """

    ratio: Interval
    p: float
    blocks: int
    verdict: PairVerdict


def judge_pairs(comparisons: Mapping[Pair, PairedRatio]) -> dict[Pair, PairVerdicts]:
    """Judge comparisons that are shown together: exact signed-rank tests, with Holm's correction.

    A comparison with fewer blocks than the strictest step of the correction takes is not judged: which
    comparisons have too few blocks depends on how many there are, and not on how they turned out. The
    other verdicts do depend on each other: the correction steps down, so a comparison that is told
    apart makes the next one easier.
    """
    adjusted = holm([comparison.p for comparison in comparisons.values()])
    needed = blocks_needed(len(comparisons))
    return {
        pair: PairVerdicts(comparison.ratio, p, comparison.blocks, _verdict(comparison, p, needed))
        for (pair, comparison), p in zip(comparisons.items(), adjusted, strict=True)
    }


def compare_with(reference: Sample, others: Mapping[str, Sample]) -> dict[str, PairVerdicts]:
    """Judge each of several cases against one; those that share no block with it are left out."""
    compared = {case_id: compare_samples(sample, reference) for case_id, sample in others.items()}
    return judge_pairs({case_id: found for case_id, found in compared.items() if found is not None})


def blocks_needed(comparisons: int) -> int:
    """Return the blocks with which even the strictest of Holm's steps can be passed.

    The smallest two-sided p of n blocks is 2 / 2ⁿ.
    """
    return math.ceil(math.log2(2 * max(1, comparisons) / SIGNIFICANCE))


def _verdict(comparison: PairedRatio, p: float, needed: int) -> PairVerdict:
    if comparison.blocks < needed:
        return "too few blocks"
    if p > SIGNIFICANCE:
        return "tie"
    return "faster" if comparison.ratio.estimate > 1 else "slower"
