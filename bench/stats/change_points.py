"""Find the changes of the level of a series. Called by `history`.

Method: for each place at which a series can be split, the ranks before it are summed up and standardised, as
in Wilcoxon's test; the best place is the one where that sum is furthest from its expectation (Pettitt,
*Applied Statistics* 28, 1979). To find a change that was undone later, halves, quarters and so on are scanned
with the whole, each overlapping the next (seeded intervals: Kovács et al., *Biometrika* 110, 2023). The
p-value of the best place is the share of shuffled series with one as good. Both parts are then scanned by
themselves (binary segmentation; Scott & Knott, *Biometrics* 30, 1974).
Assumption: without a change, the values could have come in any order. p is then exact for any distribution.

The number of values seeds the shuffles, so that a series always has the same change points. Ranks alone
decide whether there is a change; the values then decide where.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from random import Random
from statistics import median
from typing import Final

LEAST_POINTS: Final = 12
"""With fewer values, not even a series that leaps once is rare enough among its shuffles."""
WINDOW: Final = 200
"""Number of newest values that are scanned; the time of a scan grows with it."""
ALPHA: Final = 0.01
_SHUFFLES: Final = 4999


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """A change of the level of a series.

    Attributes:
        at: index of the first value of the new level.
        p: chance that a series without a change, or the scanned part of it, has as good a place.
    """

    at: int
    p: float


def find_change_points(values: Sequence[float], alpha: float = ALPHA) -> tuple[ChangePoint, ...]:
    """Find the changes of level in the newest ``WINDOW`` values of a series, in order of time.

    Args:
        values: in order of time; fewer than ``LEAST_POINTS`` have no change points.
        alpha: chance of finding anything in a series of independent values without a change.
    """
    start = window_start(len(values))
    return tuple(_scan_parts(values[start:], start, alpha))


def window_start(n: int) -> int:
    """Return the index of the first of n values that is scanned."""
    return max(0, n - WINDOW)


def _scan_parts(values: Sequence[float], start: int, alpha: float) -> Iterator[ChangePoint]:
    """Yield all change points of a part of a series, in their order.

    The strongest one divides it, and both sides are searched again.
    """
    found = _scan(values, alpha)
    if found is None:
        return
    yield from _scan_parts(values[: found.at], start, alpha)
    yield ChangePoint(start + found.at, found.p)
    yield from _scan_parts(values[found.at :], start + found.at, alpha)


def _scan(values: Sequence[float], alpha: float) -> ChangePoint | None:
    """Return the best place to split, or None if too many of the shuffles have one as good."""
    if len(values) < LEAST_POINTS:
        return None
    scores = _scores(values)
    sums = list(accumulate(scores, initial=0))
    peaks = {interval: max(_heights(sums, *interval)) for interval in _intervals(len(values))}
    start, end = max(peaks, key=peaks.__getitem__)
    peak = peaks[start, end]
    shuffles = _shuffles(tuple(sorted(scores)))
    allowed = _most_reached(alpha)
    reached = 0
    for number in range(_SHUFFLES):
        reached += shuffles.peak(number) >= peak
        if reached > allowed:
            return None
    place = _heights(sums, start, end).index(peak) + 1
    return ChangePoint(start + _refine_place(values[start:end], place), (1 + reached) / (1 + _SHUFFLES))


def _most_reached(alpha: float) -> int:
    """Return the number of shuffles that may have as good a place.

    The shuffles are a sample of all orders, the same for every series of a length. Two standard deviations
    fewer than ``alpha`` of them keep a sample that happens to be mild from raising more alarms than that.
    """
    expected = alpha * (_SHUFFLES + 1)
    return math.floor(expected - 2 * math.sqrt(expected)) - 1


def _refine_place(values: Sequence[float], place: int) -> int:
    """Move a place to the split that fits the values best, given the levels before and after it.

    Sums of ranks draw it towards the middle, since the first values of the longer part may be its highest.
    Each value counts for the level that it is nearer to, and at most by the distance of both levels, so that
    a spike does not move the place either.
    """
    before, after = median(values[:place]), median(values[place:])
    fit = list(accumulate(abs(value - after) - abs(value - before) for value in values[:-1]))
    return fit.index(max(fit)) + 1


def _scores(values: Sequence[float]) -> list[int]:
    """Return twice the ranks less their mean; equal values share the mean of their ranks.

    Doubled, they are whole numbers, and their sums exact in any order.
    """
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values)):
        places.setdefault(value, []).append(place)
    middle = len(values) - 1
    return [places[value][0] + places[value][-1] - middle for value in values]


@lru_cache(maxsize=WINDOW)
def _intervals(n: int) -> tuple[tuple[int, int], ...]:
    """Return the start and the end of each part to scan, the whole first.

    They lie symmetrically, so that a series read backwards has the same parts.
    """
    found: dict[tuple[int, int], None] = {(0, n): None}
    parts = 2
    while (length := n // parts) >= 2 * LEAST_POINTS:
        free, steps = n - length, 2 * parts - 2
        for step in range(steps // 2 + 1):
            start = step * free // steps
            found |= {(start, start + length): None, (free - start, n - start): None}
        parts *= 2
    return tuple(found)


def _heights(sums: Sequence[int], start: int, end: int) -> list[float]:
    """Return the distance of the ranks before each place within a part from the rest of the part.

    The unit is standard deviations, but for a factor that is common to all places and shuffles.

    Args:
        sums: of all ranks before each place of the whole series.
        start: index of the first value of the part.
        end: index behind its last.
    """
    length, base = end - start, sums[start]
    total = sums[end] - base
    inner = enumerate(zip(sums[start + 1 : end], _weights(length), strict=True), 1)
    return [abs(length * (value - base) - place * total) * weight for place, (value, weight) in inner]


@lru_cache(maxsize=WINDOW)
def _weights(length: int) -> tuple[float, ...]:
    return tuple(1 / math.sqrt(before * (length - before) * length) for before in range(1, length))


class _Shuffles:
    """The peaks of shuffled series, computed on first use."""

    def __init__(self, scores: Sequence[int]) -> None:
        self._scores = scores
        self._random = Random(len(scores))  # noqa: S311  a simulation
        self._peaks: list[float] = []

    def peak(self, number: int) -> float:
        """Return the peak of shuffle ``number``; call with 0, 1, 2, … in order."""
        if number == len(self._peaks):
            keys = [self._random.random() for _ in self._scores]
            order = sorted(range(len(keys)), key=keys.__getitem__)  # a third of the time of shuffle()
            sums = list(accumulate(map(self._scores.__getitem__, order), initial=0))
            self._peaks.append(max(max(_heights(sums, *each)) for each in _intervals(len(keys))))
        return self._peaks[number]


@lru_cache(maxsize=WINDOW)
def _shuffles(scores: tuple[int, ...]) -> _Shuffles:
    """Return the shuffles of sorted scores; series of a length share them unless they have equal values."""
    return _Shuffles(scores)
