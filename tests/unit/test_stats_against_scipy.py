"""Our statistics against SciPy's, and the coverage of every interval by simulation.

SciPy is no dependency of flagbench: importing its statistics takes longer than most commands do.
"""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from bench.stats.intervals import Interval, median_interval, quantile_interval
from bench.stats.paired import holm
from bench.stats.signed_rank import bound_rank, p_value, shift_interval

DRAWS = 20_000


@pytest.mark.parametrize("n", [5, 6, 10, 17, 25, 40])
def test_p_values_are_scipys_exact_ones(n: int) -> None:
    """For fifty samples of each size, far from and near to the null."""
    source = np.random.default_rng(n)
    for shift in np.linspace(0, 1, 50):
        sample = source.normal(shift, 1, n)
        assert p_value(list(sample)) == pytest.approx(stats.wilcoxon(sample, method="exact").pvalue)


def test_p_values_of_large_samples_are_close_to_scipys_exact_ones() -> None:
    """Where we approximate, SciPy still counts."""
    source = np.random.default_rng(1)
    for shift in np.linspace(0, 0.3, 20):
        sample = source.normal(shift, 1, 250)
        assert p_value(list(sample)) == pytest.approx(
            stats.wilcoxon(sample, method="exact").pvalue, abs=0.001
        )


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("n", [6, 10, 30, 59, 200])
def test_quantile_bounds_are_scipys(n: int, quantile: float) -> None:
    """One-sided bounds of ``quantile_test`` at half the error each."""
    values = np.random.default_rng(n).lognormal(size=n)
    result = stats.quantile_test(values, p=quantile)
    theirs = result.confidence_interval(0.95)
    ours = quantile_interval(list(values), quantile)
    if ours.low is None or ours.high is None:
        assert np.isnan(theirs.low) or np.isnan(theirs.high)
    else:
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.estimate == pytest.approx(np.quantile(values, quantile))


def test_holm_is_the_step_down_of_bonferroni() -> None:
    """Written out as in Holm's paper, for a hundred families."""
    source = np.random.default_rng(3)
    for _ in range(100):
        raw = source.uniform(0, 0.2, 7)
        order = np.argsort(raw)
        stepped = np.minimum(1, np.maximum.accumulate(raw[order] * np.arange(7, 0, -1)))
        expected = np.empty(7)
        expected[order] = stepped
        assert holm(list(raw)) == pytest.approx(tuple(expected))


def spiky(source: np.random.Generator, n: int) -> list[float]:
    """Draw skewed values with a spike in one of ten, as a shared machine yields them; the median is one."""
    values = source.lognormal(0, 0.5, n)
    return list(np.where((source.random(n) < 0.1) & (values > 1), values * 5, values))


def symmetric(source: np.random.Generator, n: int) -> list[float]:
    """Draw log-ratios with heavy tails and a spread that changes from block to block, around one."""
    return list(1 + source.standard_t(2, n) * source.lognormal(0, 1, n))


@pytest.mark.parametrize(
    ("interval", "draw", "n"),
    [
        (median_interval, spiky, 9),
        (median_interval, spiky, 20),
        (median_interval, spiky, 40),
        (shift_interval, symmetric, 10),
        (shift_interval, symmetric, 20),
    ],
)
def test_a_95_percent_interval_covers_95_percent(
    interval: Callable[[list[float]], Interval],
    draw: Callable[[np.random.Generator, int], list[float]],
    n: int,
) -> None:
    """Between 94 and 96.5 % of 20,000 samples; exact intervals of few blocks cannot hit 95 % itself."""
    source = np.random.default_rng(n)
    covered = 0
    for _ in range(DRAWS):
        found = interval(draw(source, n))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 1 <= found.high
    assert 0.94 <= covered / DRAWS <= 0.965


@pytest.mark.parametrize("n", [4, 6, 10, 20, 39])
@pytest.mark.parametrize("chance", [0.1, 0.025, 0.002 / 20])
def test_a_bound_is_the_last_rank_that_is_rare_enough(n: int, chance: float) -> None:
    """By SciPy's exact one-sided p of a sample whose negative ranks add up to just that."""
    rank = bound_rank(n, chance)
    if rank is None:
        assert 1 / 2**n > chance
        return
    for negative, is_rare in ((rank, True), (rank + 1, False)):
        sample = _with_negative_ranks(n, negative)
        p = stats.wilcoxon(sample, method="exact", alternative="greater").pvalue
        assert (p <= chance) == is_rare


def _with_negative_ranks(n: int, total: int) -> list[int]:
    """Return 1 to n with such signs that the negative ones add up to ``total``."""
    sample = []
    for rank in range(n, 0, -1):
        is_negative = rank <= total
        total -= rank if is_negative else 0
        sample.append(-rank if is_negative else rank)
    return sample
