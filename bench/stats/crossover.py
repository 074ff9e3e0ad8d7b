"""Find the crossovers of two series over numbers of workers. Called by `scaling`.

Method: two series are compared with each number of workers they share (`pairwise`), with Holm's correction
over all such places of a profile. A crossover lies between two numbers of workers with opposite verdicts; its
place is interpolated block by block, and bounded by the interval of the median over blocks.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import exp, log
from typing import Final, Generic, TypeVar

from bench.stats.intervals import Interval, median_interval
from bench.stats.pairwise import PairVerdict, Sample, compare_samples, judge_pairs

Name = TypeVar("Name", bound=Hashable)

_SHARED_AT_LEAST: Final = 2


@dataclass(frozen=True, slots=True)
class Crossover:
    """A change of order between two numbers of workers, with a verdict at both of them.

    Attributes:
        below: the smaller number of workers.
        above: the greater one.
        at: number of workers at which both series are equally fast: median over the blocks in which both
            succeeded with all numbers of workers in between; ``None`` if there is no such block.
    """

    below: int
    above: int
    at: Interval | None


@dataclass(frozen=True, slots=True)
class SeriesPair(Generic[Name]):
    """Two series of one profile, over the numbers of workers that both were run with.

    Attributes:
        orders: verdict on the first against the second, by workers, ascending; judged among all orders of
            all pairs of the profile.
        crossovers: the changes of order that are shown, ascending.
    """

    first: Name
    second: Name
    orders: Mapping[int, PairVerdict]
    crossovers: tuple[Crossover, ...]

    def ahead(self, name: Name) -> tuple[int, ...]:
        """Return the numbers of workers with a verdict for one of the two."""
        verdict = "faster" if name == self.first else "slower"
        return tuple(workers for workers, order in self.orders.items() if order.verdict == verdict)


def series_pairs(series: Mapping[Name, Mapping[int, Sample]]) -> tuple[SeriesPair[Name], ...]:
    """Compare every two series that share at least two numbers of workers."""
    shared = {
        (first, second): workers
        for first, second in combinations(series, 2)
        if len(workers := sorted(series[first].keys() & series[second].keys())) >= _SHARED_AT_LEAST
    }
    orders = judge_pairs(
        {
            (pair, count): comparison
            for pair, workers in shared.items()
            for count in workers
            if (comparison := compare_samples(series[pair[0]][count], series[pair[1]][count])) is not None
        }
    )
    return tuple(
        _find_crossovers(
            pair, series, {count: orders[pair, count] for count in workers if (pair, count) in orders}
        )
        for pair, workers in shared.items()
    )


def crossing_point(leads: Mapping[int, float]) -> float:
    """Return the number of workers with equal times of two series in one block.

    Between the numbers of workers there are, the lead is taken as linear in their logarithm. The result is
    how far the series that leads at first stays ahead, all stretches together: the crossing if there is
    one, and the nearer end if noise hides it.

    Args:
        leads: log-ratios by workers, ascending, above zero where the series that leads at first is ahead.
    """
    workers = list(leads)
    ahead = sum(
        log(right / left) * _share_ahead(leads[left], leads[right]) for left, right in pairwise(workers)
    )
    return exp(log(workers[0]) + ahead)


def _share_ahead(start: float, end: float) -> float:
    """Return the share of a straight line from ``start`` to ``end`` that is above zero."""
    above, under = max(start, end), min(start, end)
    if under >= 0:
        return 1.0 if above > 0 else 0.5
    return above / (above - under) if above > 0 else 0.0


def _find_crossovers(
    pair: tuple[Name, Name], series: Mapping[Name, Mapping[int, Sample]], orders: Mapping[int, PairVerdict]
) -> SeriesPair[Name]:
    first, second = (series[name] for name in pair)
    certain = [count for count, order in orders.items() if order.verdict != "inconclusive"]
    crossovers = []
    for below, above in pairwise(certain):
        if orders[below].verdict == orders[above].verdict:
            continue
        between = [count for count in orders if below <= count <= above]
        ahead, behind = (first, second) if orders[below].verdict == "faster" else (second, first)
        crossovers.append(Crossover(below, above, _bound_crossing(ahead, behind, between)))
    return SeriesPair(*pair, orders, tuple(crossovers))


def _bound_crossing(
    ahead: Mapping[int, Sample], behind: Mapping[int, Sample], workers: Sequence[int]
) -> Interval | None:
    """Bound the crossing point over the blocks that have all these numbers of workers."""
    blocks = sorted(
        set.intersection(*(set(samples[count]) for samples in (ahead, behind) for count in workers))
    )
    if not blocks:
        return None
    return median_interval(
        [
            crossing_point({count: log(behind[count][block] / ahead[count][block]) for count in workers})
            for block in blocks
        ]
    )
