"""Least squares with parameters that cannot be negative, for a handful of them."""

from collections.abc import Sequence
from itertools import chain, combinations
from math import fsum, sqrt
from typing import Final

_ROUNDING: Final = 1e-24
"""Squares, as a share of the target's, that are a matter of rounding: no reason to take another column."""


def non_negative(columns: Sequence[Sequence[float]], target: Sequence[float]) -> tuple[float, ...]:
    """Return the factors of the columns, none below zero, whose sum comes closest to the target.

    At the solution the factors that are not zero are the plain least squares over their own columns
    (Lawson & Hanson, *Solving Least Squares Problems*, chapter 23), so the best of all choices of
    columns whose plain solution has no negative factor is exact. For three columns there are eight.

    Args:
        columns: linearly independent, each as long as ``target``.
        target: what is to be approximated.
    """
    best, least = (0.0,) * len(columns), _dot(target, target)
    slight = _ROUNDING * least
    places = range(len(columns))
    for chosen in chain.from_iterable(combinations(places, size) for size in range(1, len(columns) + 1)):
        found, rest = _plain([columns[place] for place in chosen], target)
        if min(found) >= 0 and (squares := _dot(rest, rest)) < least - slight:
            factors = dict(zip(chosen, found, strict=True))
            best, least = tuple(factors.get(place, 0.0) for place in places), squares
    return best


def _plain(columns: Sequence[Sequence[float]], target: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return the factors and what they leave over, by modified Gram-Schmidt on the columns and the target.

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
