"""The slope of a series, by a figure that spikes cannot move."""

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import NormalDist, median

from bench.stats.intervals import Interval


def slope(times: Sequence[float], values: Sequence[float], level: float = 0.95) -> Interval:
    """Estimate how much values change per unit of time (Theil-Sen), and bound it at ``level``.

    The estimate is the median of the slopes of all pairs; the bounds are order statistics of them, by
    the normal approximation of Kendall's statistic (Sen, *JASA* 63, 1968). They cover at ``level`` where
    values are independent but for the slope; those that resemble their neighbours make them too narrow.
    ``times`` ascend.
    """
    points = list(zip(times, values, strict=True))
    slopes = sorted((y - x) / (after - before) for (before, x), (after, y) in combinations(points, 2))
    n = len(points)
    spread = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low, high = round((len(slopes) - spread) / 2) - 1, round((len(slopes) + spread) / 2)
    if low < 0 or high >= len(slopes):
        return Interval(median(slopes), None, None)
    return Interval(median(slopes), slopes[low], slopes[high])
