"""Spread and outliers by figures that a few wild values cannot move."""

from collections.abc import Sequence
from statistics import median
from typing import Final

_NORMAL: Final = 1.4826
"""A normal distribution's standard deviation is its median absolute deviation times this."""
_SPIKE_FROM: Final = 3.5
"""Robust standard deviations from the median that no plain value reaches."""


def robust_sigma(values: Sequence[float]) -> float:
    """Return the standard deviation that the values would have if none of them were wild.

    It is 1.4826 times the median absolute deviation from the median (Hampel, *JASA* 69, 1974).
    """
    middle = median(values)
    return _NORMAL * median(abs(value - middle) for value in values)


def spike_share(values: Sequence[float]) -> float:
    """Return which share of the values lies more than 3.5 robust standard deviations above their median.

    The rule is that of Iglewicz & Hoaglin, *How to Detect and Handle Outliers*, 1993, on one side only:
    nothing makes a computer faster than it is.
    """
    highest = median(values) + _SPIKE_FROM * robust_sigma(values)
    return sum(value > highest for value in values) / len(values)
