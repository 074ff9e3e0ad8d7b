"""Compare cases of one run pair by pair. Used by the ranking, `show --against`, and the scaling summary.

Method: the exact signed-rank test over the blocks that two cases share, with Holm's correction for the number
of pairs (Holm, *Scand. J. Statist.* 6, 1979). With a margin, two one-sided tests against its edges tell which
pairs surely differ by less (Schuirmann, *J. Pharmacokinet. Biopharm.* 15, 1987). They are *equivalent*, even
if they can be told apart, since pairs in shared blocks also tell differences that matter to no one.
Blocks are the unit of replication: drift hits both cases of a block alike, and rounds within one process
share that process's luck (Kalibera & Jones, ISMM 2013).
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, TypeVar

from bench.model.comparison import Verdict
from bench.stats.intervals import Interval
from bench.stats.signed_rank import p_below, p_value, shift_interval

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
        p_equivalent: probability of so small a difference between cases that differ by the margin or more;
            1 without a margin.
    """

    ratio: Interval
    p: float
    blocks: int
    p_equivalent: float = 1.0


@dataclass(frozen=True, slots=True)
class PairVerdict:
    """The verdict on one pair among several.

    Attributes:
        ratio: second ÷ first, or how many times faster the first is, with its own 95 % interval.
        p: two-sided, adjusted for the number of pairs.
        blocks: number of blocks that both share.
        verdict: on the first against the second; differences and equivalences are each 95 % sure over all
            pairs together.
        is_testable: whether the blocks are enough for any difference to show.
    """

    ratio: Interval
    p: float
    blocks: int
    verdict: Verdict
    is_testable: bool = True

    def turn_round(self) -> "PairVerdict":
        """Return the verdict on the second against the first."""
        turned: dict[Verdict, Verdict] = {"faster": "slower", "slower": "faster"}
        return replace(self, ratio=self.ratio.invert(), verdict=turned.get(self.verdict, self.verdict))


def compare_cases(first: Sequence[float], second: Sequence[float], margin: float = 0.0) -> PairedRatio:
    """Compare two samples of block values; equal positions are the same block.

    ``margin`` is the least difference that matters, as a share of the shorter time; 0: any.
    """
    # a difference of logarithms, as the logarithm of a quotient is not quite that of its inverse, negated
    differences = [math.log(b) - math.log(a) for a, b in zip(first, second, strict=True)]
    ratio = shift_interval(differences).transform(math.exp)
    return PairedRatio(ratio, p_value(differences), len(differences), _p_equivalent(differences, margin))


def _p_equivalent(differences: Sequence[float], margin: float) -> float:
    """Return the greater p of the two tests against the edges of a margin; 1 without one."""
    if margin == 0:
        return 1.0
    edge = math.log1p(margin)
    return max(
        p_below([each - edge for each in differences]), p_below([-each - edge for each in differences])
    )


def compare_samples(first: Sample, second: Sample, margin: float = 0.0) -> PairedRatio | None:
    """Compare two cases over the blocks that they share; return None if they share none."""
    shared = sorted(first.keys() & second.keys())
    if not shared:
        return None
    return compare_cases([first[block] for block in shared], [second[block] for block in shared], margin)


def compare_with(
    reference: Sample, others: Mapping[str, Sample], margin: float = 0.0
) -> dict[str, PairVerdict]:
    """Judge each of several cases against one; those that share no block with it are left out."""
    compared = {case_id: compare_samples(sample, reference, margin) for case_id, sample in others.items()}
    return judge_pairs({case_id: found for case_id, found in compared.items() if found is not None})


def judge_pairs(pairs: Mapping[Pair, PairedRatio]) -> dict[Pair, PairVerdict]:
    """Give a verdict on each of the pairs that are shown together, by Holm's correction.

    A pair with fewer blocks than the strictest step of the correction takes is not testable. That depends
    on the number of pairs, and not on how they turned out. The other verdicts do depend on each other:
    the correction steps down, so a pair that is told apart makes the next one easier.
    """
    adjusted = holm([pair.p for pair in pairs.values()])
    equivalent = holm([pair.p_equivalent for pair in pairs.values()])
    needed = blocks_needed(len(pairs))
    return {
        name: PairVerdict(
            pair.ratio,
            p,
            pair.blocks,
            _verdict(pair, p, p_equivalent, needed),
            is_testable=pair.blocks >= needed,
        )
        for (name, pair), p, p_equivalent in zip(pairs.items(), adjusted, equivalent, strict=True)
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


def _verdict(pair: PairedRatio, p: float, p_equivalent: float, needed: int) -> Verdict:
    if pair.blocks < needed:
        return "inconclusive"
    if p_equivalent <= SIGNIFICANCE:
        return "equivalent"
    if p > SIGNIFICANCE:
        return "inconclusive"
    return "faster" if pair.ratio.estimate > 1 else "slower"
