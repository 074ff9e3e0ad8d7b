"""Where one series overtakes another as workers are added."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import exp, log
from typing import Final, Generic, TypeVar

from bench.stats.intervals import Interval, median_interval
from bench.stats.pairwise import PairVerdicts, Sample, compare_samples, judge_pairs

Name = TypeVar("Name", bound=Hashable)

_SHARED_AT_LEAST: Final = 2


@dataclass(frozen=True, slots=True)
class Crossover:
    """A change of order between two numbers of workers, with both of which the order is certain.

    Attributes:
        below: the smaller number of workers.
        above: the greater one.
        at: number of workers at which the two are level: median over the blocks that have both sides at
            all numbers of workers in between; ``None`` if there is no such block.
    """

    below: int
    above: int
    at: Interval | None


@dataclass(frozen=True, slots=True)
class SeriesPair(Generic[Name]):
    """Two series of one profile, over the numbers of workers that both were run with.

    Attributes:
        orders: by workers, ascending, the first against the second; judged among all orders of all
            rivalries of the profile.
        crossovers: the changes of order that are shown, ascending.
    """

    first: Name
    second: Name
    orders: Mapping[int, PairVerdicts]
    crossovers: tuple[Crossover, ...]

    def ahead(self, name: Name) -> tuple[int, ...]:
        """Return the numbers of workers with which this side is faster, and surely so."""
        verdict = "faster" if name == self.first else "slower"
        return tuple(workers for workers, order in self.orders.items() if order.verdict == verdict)


def series_pairs(ladders: Mapping[Name, Mapping[int, Sample]]) -> tuple[SeriesPair[Name], ...]:
    """Hold each two series against each other that share at least two numbers of workers."""
    shared = {
        (first, second): workers
        for first, second in combinations(ladders, 2)
        if len(workers := sorted(ladders[first].keys() & ladders[second].keys())) >= _SHARED_AT_LEAST
    }
    orders = judge_pairs(
        {
            (pair, count): comparison
            for pair, workers in shared.items()
            for count in workers
            if (comparison := compare_samples(ladders[pair[0]][count], ladders[pair[1]][count])) is not None
        }
    )
    return tuple(
        _rivalry(pair, ladders, {count: orders[pair, count] for count in workers if (pair, count) in orders})
        for pair, workers in shared.items()
    )


def crossing_point(leads: Mapping[int, float]) -> float:
    """Return the number of workers at which two sides are level in one block.

    Between the numbers of workers there are, the lead is taken as linear in their logarithm. What is
    returned is how far the side that leads at first stays ahead, all stretches together: the one
    crossing where there is one, and the nearer end where noise hides it.

    Args:
        leads: log-ratios by workers, ascending, above zero where the side ahead is that of the lower end.
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


def _rivalry(
    pair: tuple[Name, Name], ladders: Mapping[Name, Mapping[int, Sample]], orders: Mapping[int, PairVerdicts]
) -> SeriesPair[Name]:
    first, second = (ladders[name] for name in pair)
    certain = [count for count, order in orders.items() if order.verdict in {"faster", "slower"}]
    crossovers = []
    for below, above in pairwise(certain):
        if orders[below].verdict == orders[above].verdict:
            continue
        between = [count for count in orders if below <= count <= above]
        ahead, behind = (first, second) if orders[below].verdict == "faster" else (second, first)
        crossovers.append(Crossover(below, above, _level(ahead, behind, between)))
    return SeriesPair(*pair, orders, tuple(crossovers))


def _level(
    ahead: Mapping[int, Sample], behind: Mapping[int, Sample], workers: Sequence[int]
) -> Interval | None:
    """Bound where two series are level, over the blocks that have all these numbers of workers."""
    blocks = sorted(set.intersection(*(set(side[count]) for side in (ahead, behind) for count in workers)))
    if not blocks:
        return None
    return median_interval(
        [
            crossing_point({count: log(behind[count][block] / ahead[count][block]) for count in workers})
            for block in blocks
        ]
    )
