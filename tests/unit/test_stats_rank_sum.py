"""Check the interval of the ratio between two independent samples."""

import math
import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import rank_sum
from bench.stats.rank_sum import ratio_interval

VALUES = st.lists(st.floats(0.001, 1000), min_size=4, max_size=12)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 3), (4, 4), (3, 6), (6, 3)])
def test_distribution_counts_all_orders_of_the_values(m: int, n: int) -> None:
    counts = [0] * (m * n + 1)
    for places in combinations(range(m + n), m):
        counts[sum(place - rank for rank, place in enumerate(places))] += 1
    total = math.comb(m + n, m)
    expected = [sum(counts[: u + 1]) / total for u in range(m * n + 1)]
    assert rank_sum._cumulative(m, n) == pytest.approx(expected)  # noqa: SLF001  the tabulated distribution


@pytest.mark.parametrize(
    ("m", "n", "greatest"), [(4, 4, 0), (5, 5, 2), (5, 8, 6), (8, 8, 13), (10, 10, 23), (20, 20, 127)]
)
def test_bounds_are_those_of_published_tables(m: int, n: int, greatest: int) -> None:
    """The greatest U that is significant at 5 %, two-sided, by the tables of Mann and Whitney's test."""
    chances = rank_sum._cumulative(m, n)  # noqa: SLF001  as above
    assert chances[greatest] <= 0.025 < chances[greatest + 1]


@pytest.mark.parametrize(("m", "n"), [(1, 38), (2, 7), (3, 4)])
def test_too_few_values_have_no_interval(m: int, n: int) -> None:
    interval = ratio_interval([1.0] * m, [2.0] * n)
    assert interval.estimate == pytest.approx(2.0)
    assert (interval.low, interval.high) == (None, None)


def test_approximation_for_many_values_is_close_to_the_exact_distribution(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = rank_sum._cumulative.__wrapped__(60, 40)  # noqa: SLF001  past its cache
    monkeypatch.setattr(rank_sum, "_EXACT_UP_TO", 0)
    assert rank_sum._cumulative.__wrapped__(60, 40) == pytest.approx(exact, abs=0.001)  # noqa: SLF001


@given(VALUES, VALUES, st.floats(0.01, 100))
def test_interval_follows_the_unit_and_turns_round(
    first: list[float], second: list[float], factor: float
) -> None:
    found = ratio_interval(first, second)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.estimate <= found.high
    turned = ratio_interval(second, first)
    assert turned.estimate == pytest.approx(1 / found.estimate)
    assert turned.low == pytest.approx(1 / found.high)
    assert turned.high == pytest.approx(1 / found.low)
    scaled = ratio_interval(first, [value * factor for value in second])
    assert scaled.low == pytest.approx(found.low * factor)


def test_interval_covers_the_true_ratio_as_often_as_promised() -> None:
    """3,000 pairs of skewed samples; the exact coverage for ten values each is 95.7 %."""
    source = random.Random(9)
    covered = 0
    for _ in range(3000):
        first = [source.lognormvariate(0, 0.5) for _ in range(10)]
        second = [1.3 * source.lognormvariate(0, 0.5) for _ in range(10)]
        interval = ratio_interval(first, second)
        assert interval.low is not None
        assert interval.high is not None
        covered += interval.low <= 1.3 <= interval.high
    assert 0.945 <= covered / 3000 <= 0.969
