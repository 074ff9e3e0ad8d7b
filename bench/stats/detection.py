"""The smallest difference that paired blocks can show, from pairs of what is the same.

A difference shows where the exact two-sided 95 % signed-rank interval of the blocks' log-ratios leaves
zero out (``bench.stats.signed_rank``). Every bound moves by just as much as all its values do, so it is
enough to look at the bounds of equal sides: those that lie less than δ from zero leave it behind when
one side becomes δ slower.
"""

import math
from collections.abc import Sequence
from random import Random
from typing import Final

from bench.stats.intervals import quantile_interval
from bench.stats.signed_rank import bound_rank, walsh_averages

_TAIL: Final = 0.025
_POWER: Final = 0.95
"""Share of experiments that must find a difference for it to count as one that shows."""
_RESAMPLES: Final = 500
"""Two bounds each: the power at the quantile found is known to 0.7 points."""
_RESAMPLED_UP_TO: Final = 64
"""More blocks than these take too long; the width of the interval then shrinks with their root."""
_SEED: Final = 1


def least_blocks() -> int:
    """Return the number of blocks below which no difference shows, however large."""
    return next(n for n in range(1, _RESAMPLED_UP_TO) if bound_rank(n, _TAIL) is not None)


def smallest_difference(pairs: Sequence[float], blocks: int) -> float:
    """Return the shift that so many blocks show in 95 % of experiments, in the unit of ``pairs``.

    Blocks are resampled from ``pairs``, each with a sign of its own drawn anew: which side of a pair is
    which was the toss of a coin. That n pairs know their own spread only roughly makes the true
    difference vary more than the resampled one, by about 1 + 1/n: the ratio of the 95 % quantiles of
    Student's t with n degrees of freedom and of the normal distribution.

    Raises:
        ValueError: so few blocks show no difference at all.
    """
    if blocks > _RESAMPLED_UP_TO:
        return smallest_difference(pairs, _RESAMPLED_UP_TO) * math.sqrt(_RESAMPLED_UP_TO / blocks)
    rank = bound_rank(blocks, _TAIL)
    if rank is None:
        raise ValueError(f"{blocks} blocks show no difference, whatever it is; it takes {least_blocks()}")
    # sorted, so that the averages come in runs that are quickly merged
    either_way = sorted([*pairs, *(-pair for pair in pairs)])
    source = Random(_SEED)  # noqa: S311  a simulation
    bounds: list[float] = []
    for _ in range(_RESAMPLES):
        walsh = walsh_averages(sorted(source.choices(either_way, k=blocks)))
        bounds += (-walsh[rank], walsh[-1 - rank])
    return quantile_interval(bounds, _POWER).estimate * (1 + 1 / len(pairs))


def blocks_to_show(pairs: Sequence[float], difference: float) -> int:
    """Return how many blocks it takes for a difference to be the smallest that shows.

    Raises:
        ValueError: the difference is not above zero; no number of blocks shows it.
    """
    if difference <= 0:
        raise ValueError("no number of blocks shows a difference of nothing")
    at_most = smallest_difference(pairs, _RESAMPLED_UP_TO)
    if at_most > difference:
        return math.ceil(_RESAMPLED_UP_TO * (at_most / difference) ** 2)
    few, enough = least_blocks() - 1, _RESAMPLED_UP_TO
    while enough - few > 1:
        between = (few + enough) // 2
        if smallest_difference(pairs, between) <= difference:
            enough = between
        else:
            few = between
    return enough
