"""Where the level of a series changes: scans over ranks, with a permutation test for the best place.

For each place at which a series can be split, the ranks of what is before are summed up and standardised, as
in Wilcoxon's test; the place where that sum is furthest from its expectation is the candidate (Pettitt,
*Applied Statistics* 28, 1979). So that a change which was undone is found, too, halves, quarters and so on
are scanned with the whole, each overlapping the next (seeded intervals: Kovács et al., *Biometrika* 110,
2023). How often shuffled series have as good a place is its p, which is exact where the values could have
come in any order, whatever they are distributed like. Both parts are then scanned by themselves (binary
segmentation; Scott & Knott, *Biometrics* 30, 1974).

Shuffles are drawn from the number of values, so that a series always has the same change points. Whether it
has any is a matter of ranks alone; where they are is then settled by the values.
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
"""With fewer, not even a series that leaps once is rare enough among its shuffles."""
WINDOW: Final = 200
"""How many of the newest values are looked at; what a scan takes grows with them."""
ALPHA: Final = 0.01
_SHUFFLES: Final = 4999


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """A place at which the level changes.

    Attributes:
        at: index of the first value that is of the new level.
        p: chance that a series without a change, or the part of it that was scanned, has as good a place.
    """

    at: int
    p: float


def find_change_points(values: Sequence[float], alpha: float = ALPHA) -> tuple[ChangePoint, ...]:
    """Find where a series, or the newest ``WINDOW`` of it, changes its level, in order of time.

    Args:
        values: in order of time; of fewer than ``LEAST_POINTS`` nothing is claimed.
        alpha: chance of finding anything in a series of independent values without a change.
    """
    start = window_start(len(values))
    return tuple(_segmented(values[start:], start, alpha))


def window_start(n: int) -> int:
    """Return the index of the first value that is looked at, of so many."""
    return max(0, n - WINDOW)


def _segmented(values: Sequence[float], start: int, alpha: float) -> Iterator[ChangePoint]:
    """Scan a part of a series, and the parts into which what is found there divides it."""
    found = _scan(values, alpha)
    if found is None:
        return
    yield from _segmented(values[: found.at], start, alpha)
    yield ChangePoint(start + found.at, found.p)
    yield from _segmented(values[found.at :], start + found.at, alpha)


def _scan(values: Sequence[float], alpha: float) -> ChangePoint | None:
    """Return the best place to split, unless too many of the shuffles have as good a one."""
    if len(values) < LEAST_POINTS:
        return None
    scores = _scores(values)
    sums = list(accumulate(scores, initial=0))
    peaks = {interval: max(_heights(sums, *interval)) for interval in _intervals(len(values))}
    start, end = max(peaks, key=peaks.__getitem__)
    peak = peaks[start, end]
    shuffles = _shuffles(tuple(sorted(scores)))
    allowed = _allowed(alpha)
    reached = 0
    for number in range(_SHUFFLES):
        reached += shuffles.peak(number) >= peak
        if reached > allowed:
            return None
    place = _heights(sums, start, end).index(peak) + 1
    return ChangePoint(start + _settled(values[start:end], place), (1 + reached) / (1 + _SHUFFLES))


def _allowed(alpha: float) -> int:
    """Return how many shuffles may have as good a place.

    They are a sample of all orders, the same for every series of a length; two standard deviations fewer than
    ``alpha`` of them keep a sample that happens to be mild from raising more alarms than that.
    """
    expected = alpha * (_SHUFFLES + 1)
    return math.floor(expected - 2 * math.sqrt(expected)) - 1


def _settled(values: Sequence[float], place: int) -> int:
    """Move a place to where the values say it is, now that there are two levels to tell them by.

    Sums of ranks draw it towards the middle, since the first values of the longer part may be its highest.
    Each value speaks for the level that it is nearer to, and no louder than the two are apart: a spike does
    not move the place either.
    """
    before, after = median(values[:place]), median(values[place:])
    said = list(accumulate(abs(value - after) - abs(value - before) for value in values[:-1]))
    return said.index(max(said)) + 1


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
    """Return the start and the end of each part that is scanned, the whole first.

    They lie as they would in a series that is read backwards.
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
    """Return how far the ranks before each place within a part are from the rest of it.

    In standard deviations, but for a factor that is common to all places and shuffles.

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
    """The peaks of shuffled series, each worked out when it is first asked for."""

    def __init__(self, scores: Sequence[int]) -> None:
        self._scores = scores
        self._random = Random(len(scores))  # noqa: S311  a simulation
        self._peaks: list[float] = []

    def peak(self, number: int) -> float:
        """Return the peak of the so-manieth shuffle, from 0; those before it must have been asked for."""
        if number == len(self._peaks):
            keys = [self._random.random() for _ in self._scores]
            order = sorted(range(len(keys)), key=keys.__getitem__)  # a third of the time of shuffle()
            sums = list(accumulate(map(self._scores.__getitem__, order), initial=0))
            self._peaks.append(max(max(_heights(sums, *each)) for each in _intervals(len(keys))))
        return self._peaks[number]


@lru_cache(maxsize=WINDOW)
def _shuffles(scores: tuple[int, ...]) -> _Shuffles:
    """Return the shuffles of what was sorted; series without equal values share them by their length."""
    return _Shuffles(scores)
