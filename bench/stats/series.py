"""Describe a series: autocorrelation, slope, robust spread and spikes. Used by `noise` and `history`.

Each function cites its method and states its assumptions; all are checked against SciPy.
"""

import math
from collections.abc import Sequence
from itertools import combinations, pairwise
from statistics import NormalDist, fmean, median
from typing import Final

from bench.stats.intervals import Interval


def autocorrelation(values: Sequence[float]) -> float:
    """Return the correlation of a series with itself one step later.

    It is from -1 to 1, and 0 if the series never changes. Values that are missing from a series leave no gap:
    those next to it count as neighbours.
    """
    middle = fmean(values)
    deviations = [value - middle for value in values]
    total = math.fsum(deviation**2 for deviation in deviations)
    return math.fsum(one * other for one, other in pairwise(deviations)) / total if total else 0.0


def chance_bound(n: int) -> float:
    """Return the bound that n independent values' autocorrelation keeps to in 95 of 100 series.

    Its standard error is close to 1/√n (Bartlett, *J. R. Statist. Soc.* Suppl. 8, 1946).
    """
    return NormalDist().inv_cdf(0.975) / math.sqrt(n)


def theil_sen_slope(times: Sequence[float], values: Sequence[float], level: float = 0.95) -> Interval:
    """Estimate how much values change per unit of time (Theil-Sen), and bound it at ``level``.

    The estimate is the median of the slopes of all pairs; the bounds are order statistics of them, by
    the normal approximation of Kendall's statistic (Sen, *JASA* 63, 1968). They cover at ``level`` if the
    values are independent but for the slope; autocorrelated values make them too narrow.
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


_NORMAL: Final = 1.4826
"""A normal distribution's standard deviation is its median absolute deviation times this."""
_SPIKE_FROM: Final = 3.5
"""Robust standard deviations above the median from which a value is a spike."""


def robust_sigma(values: Sequence[float]) -> float:
    """Return the standard deviation of the values, hardly moved by outliers.

    It is 1.4826 times the median absolute deviation from the median (Hampel, *JASA* 69, 1974).
    """
    middle = median(values)
    return _NORMAL * median(abs(value - middle) for value in values)


def spike_share(values: Sequence[float]) -> float:
    """Return the share of values more than 3.5 robust standard deviations above their median.

    The rule is that of Iglewicz & Hoaglin, *How to Detect and Handle Outliers*, 1993, applied upwards only:
    nothing makes a computer faster than it is.
    """
    highest = median(values) + _SPIKE_FROM * robust_sigma(values)
    return sum(value > highest for value in values) / len(values)
