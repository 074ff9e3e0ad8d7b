"""Fit the Universal Scalability Law to throughput over workers. Called by `scaling`, once per block.

Method: X(N) = λN / (1 + σ(N-1) + κN(N-1)) (Gunther) is linear in 1/λ, σ/λ and κ/λ once it is turned into N /
X(N), and is fitted by least squares with non-negative parameters (Lawson & Hanson, *Solving Least Squares
Problems*, chapter 23). Assumption: noise is in proportion to the elapsed time, so squares of relative errors
are minimised.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from math import fsum, inf, sqrt
from typing import Final

_ROUNDING: Final = 1e-24
"""A gain in squares, as a share of the target's, that is due to rounding: no reason for another column."""


def solve_non_negative(columns: Sequence[Sequence[float]], target: Sequence[float]) -> tuple[float, ...]:
    """Fit the target by the columns with non-negative factors, and return the factors.

    At the solution the factors above zero are the plain least squares over their own columns (Lawson &
    Hanson), so the best of all choices of columns whose plain solution has no negative factor is exact.
    Three columns have eight choices.

    Args:
        columns: linearly independent, each as long as ``target``.
        target: values to approximate.
    """
    best, least = (0.0,) * len(columns), _dot(target, target)
    slight = _ROUNDING * least
    places = range(len(columns))
    for chosen in chain.from_iterable(combinations(places, size) for size in range(1, len(columns) + 1)):
        found, rest = _solve_plain([columns[place] for place in chosen], target)
        if min(found) >= 0 and (squares := _dot(rest, rest)) < least - slight:
            factors = dict(zip(chosen, found, strict=True))
            best, least = tuple(factors.get(place, 0.0) for place in places), squares
    return best


def _solve_plain(
    columns: Sequence[Sequence[float]], target: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return the plain least-squares factors and the residuals, by modified Gram-Schmidt.

    Columns may differ by orders of magnitude; forming their products instead would square that.
    """
    directions: list[list[float]] = []
    triangle: list[list[float]] = []
    for column in [*columns, target]:
        rest, shares = list(column), []
        for direction in directions:
            share = _dot(direction, rest)
            rest = [value - share * step for value, step in zip(rest, direction, strict=True)]
            shares.append(share)
        triangle.append(shares)
        if len(directions) < len(columns):
            length = sqrt(_dot(rest, rest))
            shares.append(length)
            directions.append([value / length for value in rest])
    factors: list[float] = []
    for place in reversed(range(len(columns))):
        later = fsum(
            triangle[column][place] * factor
            for column, factor in zip(range(len(columns) - 1, place, -1), factors, strict=True)
        )
        factors.append((triangle[-1][place] - later) / triangle[place][place])
    return factors[::-1], rest


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return fsum(a * b for a, b in zip(one, other, strict=True))


@dataclass(frozen=True, slots=True)
class UniversalLaw:
    """The Universal Scalability Law with its three parameters, none of them negative.

    Attributes:
        rate: λ, the throughput of one worker, per second.
        contention: σ, the share of the work that only one worker at a time can do.
        coherency: κ, the cost of keeping each pair of workers consistent, as a share of the work.
    """

    rate: float
    contention: float
    coherency: float

    def throughput(self, workers: float) -> float:
        """Return the throughput of so many workers, per second."""
        others = workers - 1
        return self.rate * workers / (1 + self.contention * others + self.coherency * workers * others)

    @property
    def peak(self) -> float:
        """Return the number of workers with the greatest throughput, infinite if there is none."""
        if self.contention >= 1:
            return 1.0
        return max(1.0, sqrt((1 - self.contention) / self.coherency)) if self.coherency > 0 else inf

    @property
    def limit(self) -> float:
        """Return the throughput, per second, that no number of workers exceeds; infinite if there is none."""
        if self.peak < inf:
            return self.throughput(self.peak)
        return self.rate / self.contention if self.contention > 0 else inf


def fit_law(throughputs: Mapping[int, float]) -> UniversalLaw | None:
    """Fit the law to the throughput, per second, of at least three numbers of workers.

    The squares are those of relative errors; otherwise one or two numbers of workers would decide alone.
    Return None if throughput falls too fast for the law, which then has no λ.
    """
    seconds = [workers / throughput for workers, throughput in throughputs.items()]
    alone = [1 / each for each in seconds]
    queueing = [(workers - 1) / each for workers, each in zip(throughputs, seconds, strict=True)]
    informing = [workers * each for workers, each in zip(throughputs, queueing, strict=True)]
    one, sigma, kappa = solve_non_negative([alone, queueing, informing], [1.0] * len(seconds))
    return UniversalLaw(1 / one, sigma / one, kappa / one) if one > 0 else None
