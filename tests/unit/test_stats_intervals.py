"""Check the intervals of medians and quantiles, and the value of a block."""

import math
import random
from statistics import median

import pytest

from bench.stats.intervals import Interval, block_value, median_interval, quantile_interval


@pytest.mark.parametrize(
    ("n", "rank"),
    [(6, 1), (8, 1), (9, 2), (10, 2), (12, 3), (15, 4), (20, 6), (25, 8), (50, 18)],
)
def test_bounds_are_the_tabulated_order_statistics(n: int, rank: int) -> None:
    """The ranks are those of tables for the sign test at 95 %."""
    values = [float(value) for value in range(1, n + 1)]
    random.Random(n).shuffle(values)
    assert median_interval(values) == Interval(median(values), rank, n + 1 - rank)


@pytest.mark.parametrize("n", [1029, 1030, 5000])
def test_thousands_of_values_have_the_exact_ranks(n: int) -> None:
    """Their binomial coefficients exceed any float; the test counts in whole numbers."""
    found = median_interval([float(rank) for rank in range(1, n + 1)])
    assert found.low is not None
    assert found.high == n + 1 - found.low
    below = sum(math.comb(n, successes) for successes in range(int(found.low)))
    assert 40 * below <= 2**n
    assert 40 * (below + math.comb(n, int(found.low))) > 2**n


@pytest.mark.parametrize("quantile", [0.0, 1.0])
def test_minimum_and_maximum_have_no_interval(quantile: float) -> None:
    assert quantile_interval([1.0, 2.0, 3.0], quantile) == Interval(1.0 + 2.0 * quantile, None, None)


@pytest.mark.parametrize("n", range(1, 6))
def test_fewer_than_six_values_have_no_interval(n: int) -> None:
    """With five values even the extremes miss the median too often."""
    interval = median_interval([float(value) for value in range(n)])
    assert (interval.low, interval.high) == (None, None)


def test_interval_covers_the_true_median_as_often_as_promised() -> None:
    """2,000 samples of skewed values; the exact coverage for ten values is 97.9 %."""
    source = random.Random(20)
    true_median = 1.0
    covered = 0
    for _ in range(2000):
        sample = [source.lognormvariate(0, 0.5) for _ in range(10)]
        interval = median_interval(sample)
        assert interval.low is not None
        assert interval.high is not None
        covered += interval.low <= true_median <= interval.high
    assert 0.965 <= covered / 2000 <= 0.99


def test_autocorrelated_blocks_are_covered_less_often() -> None:
    """5,000 runs of 20 blocks: 95.9 % if independent, 86 % with a correlation of 0.4 to the block before."""
    assert 0.95 <= _covered(0.0) <= 0.97
    assert 0.84 <= _covered(0.4) <= 0.88


def _covered(correlation: float) -> float:
    """Return how often the interval of 20 autocorrelated values covers their median."""
    source = random.Random(21)
    covered = 0
    for _ in range(5000):
        value, values = source.gauss(0, 1), []
        for _ in range(20):
            values.append(value)
            value = correlation * value + math.sqrt(1 - correlation**2) * source.gauss(0, 1)
        interval = median_interval(values)
        assert interval.low is not None
        assert interval.high is not None
        covered += interval.low <= 0 <= interval.high
    return covered / 5000


@pytest.mark.parametrize(
    ("rounds_s", "value"),
    [([3.0], 3.0), ([2.0, 1.0], 1.0), ([9.0, 1.0, 2.0], 1.5), ([5.0, 1.0, 2.0, 3.0, 99.0], 2.0)],
)
def test_block_value_is_the_mean_of_the_faster_half(rounds_s: list[float], value: float) -> None:
    """Of an odd number, the middle round belongs to the faster half."""
    assert block_value(rounds_s) == value
