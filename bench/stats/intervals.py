"""Bound quantiles by order statistics. Used wherever a figure is printed with an interval.

Method: the bounds are two values of the sorted sample, at ranks from the binomial distribution
(Hollander, Wolfe & Chicken, *Nonparametric Statistical Methods*, 3.6 and 11.1). They are exact for any
continuous distribution and assume only that the values are independent.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its bounds, all in the unit of the sample.

    Attributes:
        low: ``None``, like ``high``, if the sample is too small for the confidence level.
    """

    estimate: float
    low: float | None
    high: float | None

    def transform(self, function: Callable[[float], float]) -> "Interval":
        """Apply an increasing function to the estimate and to each bound."""
        low, high = (None if bound is None else function(bound) for bound in (self.low, self.high))
        return Interval(function(self.estimate), low, high)

    def invert(self) -> "Interval":
        """Return the same interval of the reciprocal; all values are above 0."""
        low, high = (None if bound is None else 1 / bound for bound in (self.high, self.low))
        return Interval(1 / self.estimate, low, high)


def median_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Bound the median of the distribution of ``values``; 95 % takes at least six values."""
    return quantile_interval(values, 0.5, level)


def quantile_interval(values: Sequence[float], quantile: float, level: float = 0.95) -> Interval:
    """Bound a quantile, a share from 0 to 1, of the distribution of ``values``.

    The bounds have the ranks r and s: the greatest r with P(Bin(n, q) < r) ≤ α/2 and the least s with
    P(Bin(n, q) ≥ s) ≤ α/2, where α = 1 − level. Each bound holds its half of α by itself, so both
    together cover at least ``level``.
    """
    ordered = sorted(values)
    estimate = _interpolate(ordered, quantile)
    ranks = _bound_ranks(len(ordered), quantile, level)
    if ranks is None:
        return Interval(estimate, None, None)
    low, high = ranks
    return Interval(estimate, ordered[low - 1], ordered[high - 1])


def block_value(rounds_s: Sequence[float]) -> float:
    """Reduce the timed rounds of one trial to the mean of their faster half.

    Rounds of one process share its luck and are no independent sample; the faster half estimates the
    time of the trial without interruptions by the machine.
    """
    return fmean(faster_half(rounds_s, key=float))


def faster_half(rounds: Sequence[T], key: Callable[[T], float]) -> Sequence[T]:
    """Return the rounds with the smallest times, half of them rounded up; ``key`` gives the time of one."""
    return sorted(rounds, key=key)[: math.ceil(len(rounds) / 2)]


@cache
def _bound_ranks(n: int, quantile: float, level: float) -> tuple[int, int] | None:
    """Return the ranks of both bounds, counted from 1, or None if one of them does not exist."""
    tail = (1 - level) / 2
    chances = [_binomial(k, n, quantile) for k in range(n + 1)]
    low, below = 0, chances[0]
    while below <= tail:
        low += 1
        below += chances[low]
    high, above = n + 1, chances[n]
    while above <= tail:
        high -= 1
        above += chances[high - 1]
    return (low, high) if low >= 1 and high <= n else None


def _binomial(k: int, n: int, quantile: float) -> float:
    """Return P(Bin(n, q) = k), by logarithms: for a thousand values the coefficients exceed any float."""
    if quantile in {0, 1}:
        return float(k == n * quantile)
    coefficient = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(coefficient + k * math.log(quantile) + (n - k) * math.log1p(-quantile))


def _interpolate(ordered: Sequence[float], quantile: float) -> float:
    """Return the sample quantile by linear interpolation, definition 7 of Hyndman & Fan (1996)."""
    position = (len(ordered) - 1) * quantile
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)
