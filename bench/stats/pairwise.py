"""Compare cases of one run pair by pair. Used by the ranking, `show --against`, and the scaling summary.

Method: the exact signed-rank test over the blocks that two cases share, with Holm's correction for the number
of pairs (Holm, *Scand. J. Statist.* 6, 1979). No margin is applied, so no pair is ever *equivalent*.
Blocks are the unit of replication: drift hits both cases of a block alike, and rounds within one process
share that process's luck (Kalibera & Jones, ISMM 2013).
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from bench.model.comparison import Verdict
from bench.stats.intervals import Interval
from bench.stats.signed_rank import p_value, shift_interval

Sample: TypeAlias = Mapping[int, float]
"""The value of each block in which a case succeeded, in seconds."""
Pair = TypeVar("Pair", bound=Hashable)
SIGNIFICANCE: Final = 0.05


@dataclass(frozen=True, slots=True)
class PairedRatio:
    """How many times longer the second case takes than the first.

    Attributes:
        ratio: second ÷ first, with its 95 % interval.
        p: two-sided probability of this much of a difference between equal cases.
        blocks: number of blocks that both share.
    """

    ratio: Interval
    p: float
    blocks: int


@dataclass(frozen=True, slots=True)
class PairVerdict:
    """The verdict on one pair among several.

    Attributes:
        ratio: second ÷ first, or how many times faster the first is, with its own 95 % interval.
        p: two-sided, adjusted for the number of pairs.
        blocks: number of blocks that both share.
        verdict: on the first against the second, 95 % sure over all pairs together.
        is_testable: whether the blocks are enough for any difference to show.
    """

    ratio: Interval
    p: float
    blocks: int
    verdict: Verdict
    is_testable: bool = True


def compare_cases(first: Sequence[float], second: Sequence[float]) -> PairedRatio:
    """Compare two samples of block values; equal positions are the same block."""
    # a difference of logarithms, as the logarithm of a quotient is not quite that of its inverse, negated
    differences = [math.log(b) - math.log(a) for a, b in zip(first, second, strict=True)]
    return PairedRatio(
        shift_interval(differences).transform(math.exp), p_value(differences), len(differences)
    )


def compare_samples(first: Sample, second: Sample) -> PairedRatio | None:
    """Compare two cases over the blocks that they share; return None if they share none."""
    shared = sorted(first.keys() & second.keys())
    if not shared:
        return None
    return compare_cases([first[block] for block in shared], [second[block] for block in shared])


def compare_with(reference: Sample, others: Mapping[str, Sample]) -> dict[str, PairVerdict]:
    """Judge each of several cases against one; those that share no block with it are left out."""
    compared = {case_id: compare_samples(sample, reference) for case_id, sample in others.items()}
    return judge_pairs({case_id: found for case_id, found in compared.items() if found is not None})


def judge_pairs(pairs: Mapping[Pair, PairedRatio]) -> dict[Pair, PairVerdict]:
    """Give a verdict on each of the pairs that are shown together, by Holm's correction.

    A pair with fewer blocks than the strictest step of the correction takes is not testable. That depends
    on the number of pairs, and not on how they turned out. The other verdicts do depend on each other:
    the correction steps down, so a pair that is told apart makes the next one easier.
    """
    adjusted = holm([pair.p for pair in pairs.values()])
    needed = blocks_needed(len(pairs))
    return {
        name: PairVerdict(
            pair.ratio, p, pair.blocks, _verdict(pair, p, needed), is_testable=pair.blocks >= needed
        )
        for (name, pair), p in zip(pairs.items(), adjusted, strict=True)
    }


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjust p-values for their number by Holm's step-down procedure, in the order given."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for step, index in enumerate(order):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - step)))
        adjusted[index] = highest
    return tuple(adjusted)


def blocks_needed(pairs: int) -> int:
    """Return the least number of blocks for a verdict, given the number of pairs.

    It passes even the strictest of Holm's steps. The smallest two-sided p of n blocks is 2 / 2ⁿ.
    """
    return math.ceil(math.log2(2 * max(1, pairs) / SIGNIFICANCE))


def _verdict(pair: PairedRatio, p: float, needed: int) -> Verdict:
    if pair.blocks < needed or p > SIGNIFICANCE:
        return "inconclusive"
    return "faster" if pair.ratio.estimate > 1 else "slower"
