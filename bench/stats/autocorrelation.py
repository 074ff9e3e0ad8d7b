"""How much each value of a series resembles the one before it."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist, fmean


def autocorrelation(values: Sequence[float]) -> float:
    """Return the correlation of a series with itself one step later, -1 to 1; 0 if it never changes.

    Values that are missing from a series are not known of: those to either side count as neighbours.
    """
    middle = fmean(values)
    deviations = [value - middle for value in values]
    total = math.fsum(deviation**2 for deviation in deviations)
    return math.fsum(one * other for one, other in pairwise(deviations)) / total if total else 0.0


def chance_bound(n: int) -> float:
    """Return what the autocorrelation of n independent values stays below in 95 of 100 series, either way.

    Its standard error is close to 1/√n (Bartlett, *J. R. Statist. Soc.* Suppl. 8, 1946).
    """
    return NormalDist().inv_cdf(0.975) / math.sqrt(n)
