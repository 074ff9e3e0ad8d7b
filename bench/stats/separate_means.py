"""Test whether two independent samples have different means, where their spreads may differ, too.

Method: Welch's statistic, and the greater of two p-values. Its permutation distribution is exact if the
samples come from one distribution, whatever that is (Janssen, *Statist. Probab. Lett.* 36, 1997). Student's
distribution with Welch's degrees of freedom (*Biometrika* 34, 1947) is nearly right if only their means agree
and the values are close to normal. A rank-sum test would take more noise in one of them for a difference. For
many values, permutations are drawn, as with three values against thirty Welch's p-value is far too small.
"""

import math
import random
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

_EXACT_UP_TO: Final = 4_000
"""Ways to split all values: those of twice seven take 10 ms."""
_LEAST_DRAWS: Final = 9_999
"""Permutations that are drawn beyond that, which takes a tenth of a second."""
_DRAWS_PER_TEST: Final = 100
"""Drawn for each of many tests, so that the least p-value is small enough for a correction over all."""
_ENOUGH: Final = 100
"""Permutations as extreme as the observed split, after which no more are drawn."""
_DRAWN_BELOW: Final = 0.05
"""Drawn only where Welch's p-value could be significant."""
_CLOSE: Final = 1e-9
"""Relative difference of two statistics that are equal but for rounding."""
_TINY: Final = 1e-300


def p_value(first: Sequence[float], second: Sequence[float], tests: int = 1) -> float:
    """Return the two-sided p-value; 1 if a sample has fewer than the two values that a spread takes.

    Args:
        first: one sample.
        second: the other one.
        tests: number of tests that its p-value will be corrected for.
    """
    if min(len(first), len(second)) < 2:  # noqa: PLR2004  see above
        return 1.0
    values, few = [*first, *second], len(first)
    middle = math.fsum(values) / len(values)
    values = [value - middle for value in values]  # else rounding would make spreads out of nothing
    observed = _statistic(values[:few], values[few:])
    p = _student_p(observed, _degrees(values[:few], values[few:]))
    bound = observed * (1 - _CLOSE)
    if math.comb(len(values), few) <= _EXACT_UP_TO:
        found = [each >= bound for each in _permuted(values, few)]
        return max(p, sum(found) / len(found))
    if p > _DRAWN_BELOW:
        return p
    draws, exceeding = _draws(tests), 0
    for number, each in enumerate(_drawn(values, few, draws), 1):
        exceeding += each >= bound
        if exceeding == _ENOUGH:  # more would only tell how insignificant it is (Besag & Clifford, 1991)
            return max(p, exceeding / number)
    return max(p, (1 + exceeding) / (1 + draws))  # the observed split is one of them (Phipson & Smyth, 2010)


def smallest_p(first: int, second: int, tests: int = 1) -> float:
    """Return the least ``p_value`` of samples of these sizes; 1 if one is too small to have any."""
    if min(first, second) < 2:  # noqa: PLR2004  as above
        return 1.0
    ways = math.comb(first + second, first)
    return 1 / (1 + _draws(tests)) if ways > _EXACT_UP_TO else (2 if first == second else 1) / ways


def _draws(tests: int) -> int:
    return max(_LEAST_DRAWS, _DRAWS_PER_TEST * tests)


def _drawn(values: Sequence[float], few: int, draws: int) -> Iterator[float]:
    """Yield the statistic of splits that are drawn, the same ones each time."""
    source, smaller = random.Random(1), min(few, len(values) - few)  # noqa: S311  a simulation
    many = len(values) - smaller
    total, squares = math.fsum(values), math.fsum(value * value for value in values)
    for _ in range(draws):
        chosen = source.sample(values, smaller)
        inner, inner_squares = sum(chosen), sum([value * value for value in chosen])
        yield _from_sums(inner, inner_squares, smaller, total - inner, squares - inner_squares, many)


def _permuted(values: Sequence[float], few: int) -> Iterator[float]:
    """Yield the statistic of each way to split all values."""
    many = len(values) - few
    total, squares = math.fsum(values), math.fsum(value * value for value in values)
    squared = [value * value for value in values]
    for chosen in combinations(range(len(values)), few):
        inner = sum([values[index] for index in chosen])
        inner_squares = sum([squared[index] for index in chosen])
        yield _from_sums(inner, inner_squares, few, total - inner, squares - inner_squares, many)


def _statistic(first: Sequence[float], second: Sequence[float]) -> float:
    return _from_sums(
        sum(first),
        sum(value * value for value in first),
        len(first),
        sum(second),
        sum(value * value for value in second),
        len(second),
    )


def _from_sums(  # noqa: PLR0913, PLR0917  two samples
    first: float, first_squares: float, m: int, second: float, second_squares: float, n: int
) -> float:
    """Return the size of Welch's statistic, from the sum and the sum of squares of both samples."""
    spread = (first_squares - first * first / m) / (m * (m - 1)) + (second_squares - second * second / n) / (
        n * (n - 1)
    )
    difference = abs(first / m - second / n)
    return difference / math.sqrt(max(spread, _TINY)) if difference else 0.0


def _degrees(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Welch's degrees of freedom."""
    parts = [_squared_error(values) for values in (first, second)]
    below = sum(part * part / (len(values) - 1) for part, values in zip(parts, (first, second), strict=True))
    return sum(parts) ** 2 / below if below else math.inf


def _squared_error(values: Sequence[float]) -> float:
    middle = math.fsum(values) / len(values)
    return math.fsum((value - middle) ** 2 for value in values) / (len(values) * (len(values) - 1))


def _student_p(statistic: float, degrees: float) -> float:
    """Return the two-sided p-value of Student's distribution (Abramowitz & Stegun 26.7.1)."""
    if math.isinf(degrees):
        return math.erfc(statistic / math.sqrt(2))
    return _incomplete_beta(degrees / (degrees + statistic * statistic), degrees / 2, 0.5)


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularized incomplete beta function by its continued fraction (A&S 26.5.8)."""
    if x in {0.0, 1.0}:
        return x
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    front = math.exp(
        a * math.log(x)
        + b * math.log1p(-x)
        + math.lgamma(a + b)
        - math.lgamma(a)
        - math.lgamma(b)
        - math.log(a)
    )
    # Lentz's method, which needs a start that is not zero
    fraction, c, d = 1.0, 1.0, 0.0
    for step in range(200):
        half = step // 2
        if step == 0:
            part = 1.0
        elif step % 2 == 0:
            part = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        else:
            part = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        d = 1 / ((1 + part * d) or _TINY)
        c = (1 + part / c) or _TINY
        change = c * d
        fraction *= change
        if step and abs(change - 1) < 1e-14:  # noqa: PLR2004  the precision of a float
            break
    return front * (fraction - 1)
