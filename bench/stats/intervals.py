"""The interval of a median, from order statistics: exact for any continuous distribution."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its bounds, all in the unit of the sample.

    Attributes:
        low: ``None``, like ``high``, where the sample is too small for the level asked.
    """

    estimate: float
    low: float | None
    high: float | None


def median_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Bound the median of the distribution that ``values`` were drawn from.

    The bounds are the k-th smallest and k-th greatest value for the greatest k with
    2·P(Bin(n, ½) < k) ≤ 1 − level; at 95 % that takes six values (Hollander, Wolfe & Chicken,
    *Nonparametric Statistical Methods*, 3.6).
    """
    ordered = sorted(values)
    n = len(ordered)
    k, tail = 0, 0.0
    while True:
        tail += math.comb(n, k) / 2**n
        if 2 * tail > 1 - level:
            break
        k += 1
    if k == 0:
        return Interval(median(ordered), None, None)
    return Interval(median(ordered), ordered[k - 1], ordered[n - k])


def block_value(rounds_s: Sequence[float]) -> float:
    """Reduce the timed rounds of one trial to one figure: the mean of their faster half.

    Rounds of one process share its luck and are no independent sample; the faster half is what the
    trial would have taken without the machine's interruptions.
    """
    return fmean(sorted(rounds_s)[: math.ceil(len(rounds_s) / 2)])
