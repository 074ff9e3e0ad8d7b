"""Bound the ratio between two independent samples. Used for the same case in two runs, which share no blocks.

Method: the Hodges-Lehmann estimate of a shift between the logarithms, with the bounds that belong to
Wilcoxon's rank-sum test and its exact distribution (Hollander, Wolfe & Chicken, *Nonparametric Statistical
Methods*, 4.1-4.3). Assumptions: values are independent, and both distributions differ by a factor only.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from statistics import NormalDist, median
from typing import Final

from bench.stats.intervals import Interval

_EXACT_UP_TO: Final = 10_000
"""Pairs of values; above this counting takes a quarter of a second, and the approximation is as good."""


def ratio_interval(first: Sequence[float], second: Sequence[float], level: float = 0.95) -> Interval:
    """Estimate and bound how many times greater ``second`` is; four values of each are enough for 95 %.

    All values are above 0.
    """
    logs = [[math.log(value) for value in values] for values in (first, second)]
    differences = sorted(theirs - mine for mine in logs[0] for theirs in logs[1])
    few, many = sorted((len(first), len(second)))  # the distribution is the same, and counted faster
    rank = bisect_right(_cumulative(few, many), (1 - level) / 2) - 1
    bounds = (differences[rank], differences[-1 - rank]) if rank >= 0 else (None, None)
    return Interval(median(differences), *bounds).transform(math.exp)


@cache
def _cumulative(m: int, n: int) -> tuple[float, ...]:
    """Return P(U ≤ u) for u = 0 … mn; U counts the pairs in which the value of the first sample is greater.

    Without a difference all orders of m + n values are equally likely. The number of orders with U = u is the
    coefficient of xᵘ in the product of (1 − xⁿ⁺ⁱ) / (1 − xⁱ) for i = 1 … m.
    """
    pairs = m * n
    if pairs > _EXACT_UP_TO:
        normal = NormalDist(pairs / 2, math.sqrt(pairs * (m + n + 1) / 12))
        return tuple(normal.cdf(u + 0.5) for u in range(pairs + 1))
    counts = [1] + [0] * pairs
    for i in range(1, m + 1):
        for u in range(pairs, n + i - 1, -1):
            counts[u] -= counts[u - n - i]
        for u in range(i, pairs + 1):
            counts[u] += counts[u - i]
    return tuple(total / math.comb(m + n, m) for total in accumulate(counts))
