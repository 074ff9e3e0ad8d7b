"""Estimate the smallest difference that paired blocks can show on a machine. Called by `noise`.

Method: a difference shows if the exact two-sided 95 % signed-rank interval of the blocks' log-ratios excludes
zero (`signed_rank`). Blocks of equal pairs are resampled; each bound moves by as much as all its values do,
so the bounds that lie less than δ from zero exclude it once one of the pair becomes δ slower.
Assumption: future blocks vary like the measured ones.
"""

import math
from bisect import insort
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count, takewhile
from random import Random
from typing import Final

from bench.stats.intervals import quantile_interval
from bench.stats.signed_rank import bound_rank

_TAIL: Final = 0.025
_POWER: Final = 0.95
"""Share of experiments that must find a difference for it to count as detectable."""
_RESAMPLES: Final = 500
"""Two bounds each: the power at the quantile found is known to 0.7 points."""
_RESAMPLED_UP_TO: Final = 64
"""More blocks take too long; the width of the interval then shrinks with their root."""
_SEED: Final = 1


def least_blocks() -> int:
    """Return the least number of blocks that can show any difference, however large."""
    return next(n for n in range(1, _RESAMPLED_UP_TO) if bound_rank(n, _TAIL) is not None)


def smallest_difference(pairs: Sequence[float], blocks: int) -> float:
    """Return the shift that so many blocks show in 95 % of experiments, in the unit of ``pairs``.

    Raises:
        ValueError: there are fewer than ``least_blocks()``.
    """
    if blocks < least_blocks():
        raise ValueError(f"{blocks} blocks show no difference; it takes at least {least_blocks()}")
    *_, (resampled, least) = takewhile(lambda shown: shown[0] <= blocks, _shown_by(tuple(pairs)))
    return least * math.sqrt(resampled / blocks) if blocks > _RESAMPLED_UP_TO else least


def blocks_to_show(pairs: Sequence[float], difference: float) -> int:
    """Return the fewest blocks whose smallest difference is no greater than this one.

    Raises:
        ValueError: the difference is not above zero.
    """
    if difference <= 0:
        raise ValueError("no number of blocks shows a difference of zero")
    least = math.inf
    for blocks, least in _shown_by(tuple(pairs)):
        if least <= difference:
            return blocks
    return math.ceil(_RESAMPLED_UP_TO * (least / difference) ** 2)


class _Shown:
    """The smallest difference by number of blocks, computed as far as it is read."""

    def __init__(self, source: Iterator[tuple[int, float]]) -> None:
        self._source = source
        self._known: list[tuple[int, float]] = []

    def __iter__(self) -> Iterator[tuple[int, float]]:
        for place in count():
            if place == len(self._known):
                further = next(self._source, None)
                if further is None:
                    return
                self._known.append(further)
            yield self._known[place]


@lru_cache(maxsize=8)
def _shown_by(pairs: tuple[float, ...]) -> _Shown:
    """Cache the last few: the table and both figures of a gate ask for the same pairs."""
    return _Shown(_running_minimum(pairs))


def _running_minimum(pairs: Sequence[float]) -> Iterator[tuple[int, float]]:
    """Yield numbers of blocks, ascending, each with the smallest difference of it or any smaller one.

    One more block may show less: the rank of the bound jumps from one number to the next, and with spikes the
    bound leaps. An experiment with more blocks may use fewer of them, so it never counts as worse.
    """
    least = math.inf
    for blocks, difference in _resampled(pairs):
        least = min(least, difference)
        yield blocks, least


def _resampled(pairs: Sequence[float]) -> Iterator[tuple[int, float]]:
    """Yield numbers of blocks, ascending, each with the shift that just so many show.

    Blocks are resampled from ``pairs``, each with a newly drawn sign, since a coin decided the order within
    the pair. Each experiment grows block by block. As n pairs know their own spread only roughly, the true
    difference varies more than the resampled one, by about 1 + 1/n: the ratio of the 95 % quantiles of
    Student's t with n degrees of freedom and of the normal distribution.
    """
    either_way = [*pairs, *(-pair for pair in pairs)]
    either_way.sort()  # a seed then draws the same if the pairs are inverted
    source = Random(_SEED)  # noqa: S311  a simulation
    drawn: list[list[float]] = [[] for _ in range(_RESAMPLES)]
    walshes: list[list[float]] = [[] for _ in range(_RESAMPLES)]
    for blocks in range(1, _RESAMPLED_UP_TO + 1):
        for values, walsh in zip(drawn, walshes, strict=True):
            value = source.choice(either_way)
            insort(values, value)
            # two ascending runs, which are quickly merged
            walsh += [(value + other) / 2 for other in values]
            walsh.sort()
        rank = bound_rank(blocks, _TAIL)
        if rank is not None:
            bounds = [bound for walsh in walshes for bound in (-walsh[rank], walsh[-1 - rank])]
            yield blocks, quantile_interval(bounds, _POWER).estimate * (1 + 1 / len(pairs))
