"""Find the crossovers of two series over counts: of workers, of downloads, or of CPU work on each flag.

Called by `scaling` and `series_over_axis`.

Method: two series are compared at each count they share (`pairwise`), with Holm's correction over all such
places of a profile. A crossover lies between two counts with opposite verdicts; its place is interpolated
block by block, and bounded by the interval of the median over blocks. Over workers, the logarithm of the
ratio is taken as linear in the logarithm of their number; over downloads and work, which may be zero, both
times as linear in their number, which they are if each takes so long to start and so long for a download.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import exp, log
from typing import Final, Generic, TypeVar

from bench.stats.intervals import Interval, median_interval
from bench.stats.pairwise import PairVerdict, Sample, compare_samples, judge_pairs

Name = TypeVar("Name", bound=Hashable)

_SHARED_AT_LEAST: Final = 2


@dataclass(frozen=True, slots=True)
class Interpolation:
    """How the lead of a series is interpolated between two counts, as a straight line.

    Attributes:
        position: from a count to its place on the line.
        count: from a place on the line to the count.
        lead: from the times of the series ahead and of the other one, in seconds, to a figure that is above
            zero where the first is ahead.
    """

    position: Callable[[float], float]
    count: Callable[[float], float]
    lead: Callable[[float, float], float]


LOGARITHMIC: Final = Interpolation(log, exp, lambda ahead_s, behind_s: log(behind_s / ahead_s))
LINEAR: Final = Interpolation(float, float, lambda ahead_s, behind_s: behind_s - ahead_s)


@dataclass(frozen=True, slots=True)
class Crossover:
    """A change of order between two counts, with a verdict at both of them.

    Attributes:
        below: the smaller count.
        above: the greater one.
        at: count at which both series are equally fast: median over the blocks in which both succeeded at
            all counts in between; ``None`` if there is no such block.
    """

    below: int
    above: int
    at: Interval | None


@dataclass(frozen=True, slots=True)
class SeriesPair(Generic[Name]):
    """Two series of one profile, over the counts that both were run with.

    Attributes:
        orders: verdict on the first against the second, by count, ascending; judged among all orders of all
            pairs of the profile.
        crossovers: the changes of order that are shown, ascending.
    """

    first: Name
    second: Name
    orders: Mapping[int, PairVerdict]
    crossovers: tuple[Crossover, ...]

    def ahead(self, name: Name) -> tuple[int, ...]:
        """Return the counts with a verdict for one of the two."""
        verdict = "faster" if name == self.first else "slower"
        return tuple(count for count, order in self.orders.items() if order.verdict == verdict)


def series_pairs(
    series: Mapping[Name, Mapping[int, Sample]], interpolation: Interpolation = LOGARITHMIC
) -> tuple[SeriesPair[Name], ...]:
    """Compare every two series that share at least two counts."""
    shared = {
        (first, second): counts
        for first, second in combinations(series, 2)
        if len(counts := sorted(series[first].keys() & series[second].keys())) >= _SHARED_AT_LEAST
    }
    orders = judge_pairs(
        {
            (pair, count): comparison
            for pair, counts in shared.items()
            for count in counts
            if (comparison := compare_samples(series[pair[0]][count], series[pair[1]][count])) is not None
        }
    )
    return tuple(
        _find_crossovers(
            pair,
            series,
            {count: orders[pair, count] for count in counts if (pair, count) in orders},
            interpolation,
        )
        for pair, counts in shared.items()
    )


def crossing_points(
    leads: Sequence[Mapping[int, float]], interpolation: Interpolation = LOGARITHMIC
) -> list[float]:
    """Return as many counts as there are blocks, ascending, whose median is where half of the blocks cross.

    Where every block crosses once, these are the crossings. A block that crosses several times, by noise near
    the place, must not pull it: so the blocks in which the first series is ahead are counted at each place.
    The lower half of the result is where this number first falls below n, n - 1 and so on, and the upper
    half where it last reaches as many as that; a sign test that is inverted has these bounds.

    Args:
        leads: for each block, ``Interpolation.lead`` by count, ascending; all have the same counts.
        interpolation: how leads are interpolated between these counts.
    """
    places = [interpolation.position(count) for count in leads[0]]
    curves = [list(block.values()) for block in leads]
    ends = sorted({places[0], places[-1], *(place for curve in curves for place in _zeros(places, curve))})
    ahead = [
        sum(_value_at(places, curve, (start + end) / 2) > 0 for curve in curves)
        for start, end in pairwise(ends)
    ]
    segments = list(zip(pairwise(ends), ahead, strict=True))
    middle = (len(curves) + 1) / 2
    found = []
    for rank in range(1, len(curves) + 1):
        least = len(curves) - rank + 1
        first = next((start for (start, _), count in segments if count < least), ends[-1])
        last = next((end for (_, end), count in reversed(segments) if count >= least), ends[0])
        found.append(first if rank < middle else last if rank > middle else (first + last) / 2)
    return [interpolation.count(place) for place in found]


def _zeros(places: Sequence[float], curve: Sequence[float]) -> Iterator[float]:
    """Yield the places at which a lead passes zero."""
    for (left, right), (start, end) in zip(pairwise(places), pairwise(curve), strict=True):
        if (start > 0) != (end > 0):
            yield left + (right - left) * start / (start - end)


def _value_at(places: Sequence[float], curve: Sequence[float], place: float) -> float:
    """Return the lead at a place between two others."""
    index = max(1, min(bisect_left(places, place), len(places) - 1))
    left, right = places[index - 1], places[index]
    share = (place - left) / (right - left)
    return curve[index - 1] + share * (curve[index] - curve[index - 1])


def _find_crossovers(
    pair: tuple[Name, Name],
    series: Mapping[Name, Mapping[int, Sample]],
    orders: Mapping[int, PairVerdict],
    interpolation: Interpolation,
) -> SeriesPair[Name]:
    first, second = (series[name] for name in pair)
    certain = [count for count, order in orders.items() if order.verdict != "inconclusive"]
    crossovers = []
    for below, above in pairwise(certain):
        if orders[below].verdict == orders[above].verdict:
            continue
        between = [count for count in orders if below <= count <= above]
        ahead, behind = (first, second) if orders[below].verdict == "faster" else (second, first)
        crossovers.append(Crossover(below, above, _bound_crossing(ahead, behind, between, interpolation)))
    return SeriesPair(*pair, orders, tuple(crossovers))


def _bound_crossing(
    ahead: Mapping[int, Sample],
    behind: Mapping[int, Sample],
    counts: Sequence[int],
    interpolation: Interpolation,
) -> Interval | None:
    """Bound the crossing point over the blocks that have all these counts."""
    blocks = sorted(
        set.intersection(*(set(samples[count]) for samples in (ahead, behind) for count in counts))
    )
    if not blocks:
        return None
    leads = [
        {count: interpolation.lead(ahead[count][block], behind[count][block]) for count in counts}
        for block in blocks
    ]
    return median_interval(crossing_points(leads, interpolation))
