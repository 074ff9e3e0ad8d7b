"""Test and bound the typical difference of pairs. Used by every comparison of two cases or variants.

Method: Wilcoxon's signed-rank test with its exact distribution, and the Hodges-Lehmann estimate with the
bounds that belong to it (Hollander, Wolfe & Chicken, *Nonparametric Statistical Methods*, 3.1-3.3).
Assumption: without a difference, each pair is as likely to favour one as the other. The distribution then
follows from counting the subsets of the ranks 1…n.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from math import ceil, sqrt
from statistics import NormalDist, median
from typing import Final

from bench.stats.intervals import Interval

_EXACT_UP_TO: Final = 200
"""Counting subsets takes n³ steps; above this the normal approximation is as good as exact."""


@cache
def _cumulative(n: int) -> tuple[float, ...]:
    """Return P(W⁺ ≤ w) for w = 0 … n(n+1)/2 without a difference."""
    greatest = n * (n + 1) // 2
    if n > _EXACT_UP_TO:
        normal = NormalDist(greatest / 2, sqrt(n * (n + 1) * (2 * n + 1) / 24))
        return tuple(normal.cdf(w + 0.5) for w in range(greatest + 1))
    counts = [1]
    for rank in range(1, n + 1):
        grown = counts + [0] * rank
        for w, count in enumerate(counts):
            grown[w + rank] += count
        counts = grown
    return tuple(total / 2**n for total in accumulate(counts))


def walsh_averages(differences: Sequence[float]) -> list[float]:
    """Return the averages of all pairs of values, each with itself included, in ascending order."""
    return sorted([(a + b) / 2 for place, a in enumerate(differences) for b in differences[place:]])


def p_value(differences: Sequence[float]) -> float:
    """Return the two-sided probability of differences at least this one-sided by chance."""
    n = len(differences)
    positive = _count_positive(differences)
    return min(1.0, 2 * _cumulative(n)[ceil(min(positive, n * (n + 1) / 2 - positive))])


def p_below(differences: Sequence[float]) -> float:
    """Return the probability of differences at least this low by chance, if the typical one is 0 or more."""
    return _cumulative(len(differences))[ceil(_count_positive(differences))]


def _count_positive(differences: Sequence[float]) -> float:
    """Count the Walsh averages above zero; one that is zero counts half for either sign.

    Rounding such a count up keeps a test conservative.
    """
    ordered = sorted(differences)
    positive = zero = 0
    for place, value in enumerate(ordered):
        # those that exceed -value make a positive sum with it, those that equal it make zero
        above = max(place, bisect_right(ordered, -value))
        positive += len(ordered) - above
        zero += above - max(place, bisect_left(ordered, -value))
    return positive + zero / 2


def shift_interval(differences: Sequence[float], level: float = 0.95) -> Interval:
    """Estimate the typical difference (Hodges-Lehmann) and bound it at ``level``."""
    walsh = walsh_averages(differences)
    rank = bound_rank(len(differences), (1 - level) / 2)
    if rank is None:
        return Interval(median(walsh), None, None)
    return Interval(median(walsh), walsh[rank], walsh[-1 - rank])


def bound_rank(n: int, chance: float) -> int | None:
    """Return the index of the Walsh average of n values that is a one-sided bound of the shift.

    It is the greatest w with P(W⁺ ≤ w) ≤ chance, or None if even w = 0 is too likely.
    """
    found = bisect_right(_cumulative(n), chance) - 1
    return found if found >= 0 else None
