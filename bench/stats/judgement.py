"""What may be said of several comparisons at once.

Each of many comparisons at 95 % would be wrong once in twenty; together they are wrong more often than
anybody expects of a table. Holm's correction keeps the chance that *any* of them errs at 5 %.
"""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar

from bench.stats.intervals import Interval
from bench.stats.paired import Comparison, Sample, compare_samples, holm

SIGNIFICANCE: Final = 0.05

PairVerdict: TypeAlias = Literal["faster", "slower", "tie", "too few blocks"]

Pair = TypeVar("Pair", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Judgement:
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


def judge(comparisons: Mapping[Pair, Comparison]) -> dict[Pair, Judgement]:
    """Judge comparisons that are shown together: exact signed-rank tests, with Holm's correction.

    A comparison with fewer blocks than the strictest step of the correction takes is not judged: which
    comparisons have too few blocks depends on how many there are, and not on how they turned out. The
    other verdicts do depend on each other: the correction steps down, so a comparison that is told
    apart makes the next one easier.
    """
    adjusted = holm([comparison.p for comparison in comparisons.values()])
    needed = blocks_needed(len(comparisons))
    return {
        pair: Judgement(comparison.ratio, p, comparison.blocks, _verdict(comparison, p, needed))
        for (pair, comparison), p in zip(comparisons.items(), adjusted, strict=True)
    }


def against(reference: Sample, others: Mapping[str, Sample]) -> dict[str, Judgement]:
    """Judge each of several cases against one; those that share no block with it are left out."""
    compared = {case_id: compare_samples(sample, reference) for case_id, sample in others.items()}
    return judge({case_id: found for case_id, found in compared.items() if found is not None})


def blocks_needed(comparisons: int) -> int:
    """Return the blocks with which even the strictest of Holm's steps can be passed.

    The smallest two-sided p of n blocks is 2 / 2ⁿ.
    """
    return math.ceil(math.log2(2 * max(1, comparisons) / SIGNIFICANCE))


def _verdict(comparison: Comparison, p: float, needed: int) -> PairVerdict:
    if comparison.blocks < needed:
        return "too few blocks"
    if p > SIGNIFICANCE:
        return "tie"
    return "faster" if comparison.ratio.estimate > 1 else "slower"
