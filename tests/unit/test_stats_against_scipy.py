"""Compare our statistics with SciPy's, and simulate the coverage of every interval.

SciPy is no dependency of flagbench: importing its statistics takes longer than most commands do.
"""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import optimize, stats

from bench.stats.intervals import Interval, median_interval, quantile_interval
from bench.stats.pairwise import compare_cases, holm
from bench.stats.scalability_law import UniversalLaw, fit_law, solve_non_negative
from bench.stats.sequential_test import SequentialRule, decide_metric
from bench.stats.signed_rank import bound_rank, p_value, shift_interval

NORMAL_P90 = stats.norm.ppf(0.9)


@pytest.mark.parametrize("n", [5, 6, 10, 17, 25, 40])
def test_p_values_equal_scipys_exact_ones(n: int) -> None:
    source = np.random.default_rng(n)
    for shift in np.linspace(0, 1, 50):
        sample = source.normal(shift, 1, n)
        assert p_value(list(sample)) == pytest.approx(stats.wilcoxon(sample, method="exact").pvalue)


def test_p_values_of_large_samples_are_close_to_scipys_exact_ones() -> None:
    """We approximate these; SciPy still counts."""
    source = np.random.default_rng(1)
    for shift in np.linspace(0, 0.3, 20):
        sample = source.normal(shift, 1, 250)
        assert p_value(list(sample)) == pytest.approx(
            stats.wilcoxon(sample, method="exact").pvalue, abs=0.001
        )


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("n", [6, 10, 30, 59, 200])
def test_quantile_bounds_equal_scipys(n: int, quantile: float) -> None:
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


def sides(source: np.random.Generator, n: int) -> list[float]:
    """Draw n blocks of two spiky sides, the second e times as slow, under drift that both share."""
    drift = source.lognormal(0, 0.3, n)
    return [*(drift * spiky(source, n)), *(np.e * drift * spiky(source, n))]


def ratio_interval(both: list[float]) -> Interval:
    """Bound the ratio of two sides, as a logarithm."""
    half = len(both) // 2
    ratio = compare_cases(both[:half], both[half:]).ratio
    assert ratio.low is not None
    assert ratio.high is not None
    return Interval(np.log(ratio.estimate), np.log(ratio.low), np.log(ratio.high))


def interval_at_a_look(differences: list[float]) -> Interval:
    """Bound a ratio by a rule that spends 2.5 % on each side at its only look, as a logarithm."""
    n = len(differences)
    rule = SequentialRule(beta=0.025, looks=(n,), alpha_weights=(1.0,), beta_weights=(1.0,))
    ratio = decide_metric(differences, 1, rule).ratio
    assert ratio.low is not None
    assert ratio.high is not None
    return Interval(np.log(ratio.estimate), np.log(ratio.low), np.log(ratio.high))


def p90_interval(values: list[float]) -> Interval:
    """Bound the 90th percentile."""
    return quantile_interval(values, 0.9)


def p10_interval(values: list[float]) -> Interval:
    """Bound the tenth percentile."""
    return quantile_interval(values, 0.1)


def with_p90_at_one(source: np.random.Generator, n: int) -> list[float]:
    """Draw skewed values with spikes, one in ten of which is above one."""
    values = source.lognormal(-0.5 * NORMAL_P90, 0.5, n)
    return list(np.where((source.random(n) < 0.3) & (values > 1), values * 5, values))


def with_p10_at_one(source: np.random.Generator, n: int) -> list[float]:
    """Draw the mirror image."""
    return [1 / value for value in with_p90_at_one(source, n)]


@pytest.mark.no_cover  # tracing takes twice as long as the simulation
@pytest.mark.parametrize("draws", [4000, pytest.param(20_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("interval", "draw", "n"),
    [
        (median_interval, spiky, 9),
        (median_interval, spiky, 20),
        (median_interval, spiky, 40),
        (p90_interval, with_p90_at_one, 36),
        (p90_interval, with_p90_at_one, 101),
        (p10_interval, with_p10_at_one, 71),
        (shift_interval, symmetric, 10),
        (shift_interval, symmetric, 20),
        (ratio_interval, sides, 10),
        (interval_at_a_look, symmetric, 14),
    ],
)
def test_a_95_percent_interval_covers_95_percent(
    interval: Callable[[list[float]], Interval],
    draw: Callable[[np.random.Generator, int], list[float]],
    n: int,
    draws: int,
) -> None:
    """Between 94 and 96.5 % of samples, whose true value is one.

    Exact intervals go from rank to rank and so cannot cover exactly 95 %; these are numbers of blocks at
    which the chance by the binomial or the signed-rank distribution lies in the band, and never below.
    """
    source = np.random.default_rng(n)
    covered = 0
    for _ in range(draws):
        found = interval(draw(source, n))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 1 <= found.high
    assert 0.94 <= covered / draws <= 0.965


@pytest.mark.no_cover  # tracing takes twice as long as the simulation
@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9, 0.99])
def test_quantile_interval_covers_at_least_its_level(quantile: float) -> None:
    for n in range(1, 401):
        found = quantile_interval([float(rank) for rank in range(1, n + 1)], quantile)
        if found.low is not None and found.high is not None:
            chance = stats.binom.cdf(found.high - 1, n, quantile) - stats.binom.cdf(
                found.low - 1, n, quantile
            )
            assert chance >= 0.95 - 1e-12


@pytest.mark.parametrize("n", [6, 9, 15, 30])
def test_shift_interval_holds_the_shifts_that_scipy_cannot_reject(n: int) -> None:
    source = np.random.default_rng(n)
    for _ in range(20):
        sample = source.lognormal(0, 0.5, n)
        found = shift_interval(list(sample))
        assert found.low is not None
        assert found.high is not None
        for bound, inward in ((found.low, 1e-9), (found.high, -1e-9)):
            within = stats.wilcoxon(sample - (bound + inward), method="exact").pvalue
            beyond = stats.wilcoxon(sample - (bound - inward), method="exact").pvalue
            assert beyond <= 0.05 < within


def test_non_negative_least_squares_equal_scipys() -> None:
    """For 300 systems of eight rows, of all kinds of solutions, with columns of very different size."""
    source = np.random.default_rng(12)
    zeros = 0
    for _ in range(300):
        matrix = source.normal(0, 1, (8, 3)) * [1.0, 100.0, 1e4]
        target = source.normal(0, 1, 8)
        theirs, _ = optimize.nnls(matrix, target)
        ours = solve_non_negative([list(column) for column in matrix.T], list(target))
        assert ours == pytest.approx(tuple(theirs), rel=1e-7, abs=1e-12)
        zeros += sum(factor == 0 for factor in ours)
    assert 100 < zeros < 800


def test_fitted_law_equals_the_one_scipy_finds_by_searching() -> None:
    source = np.random.default_rng(13)
    workers = np.array([1, 2, 5, 10, 20, 50, 100, 200])
    for _ in range(40):
        truth = UniversalLaw(80.0, float(source.choice([0.0, 0.05])), float(source.choice([0.0, 1e-4])))
        seen = np.array([truth.throughput(count) for count in workers]) * source.lognormal(0, 0.05, 8)
        ours = fit_law(dict(zip(workers.tolist(), seen.tolist(), strict=True)))
        assert ours is not None

        def misses(scaled: np.ndarray, seen: np.ndarray = seen) -> np.ndarray:
            law = UniversalLaw(scaled[0] * 80, scaled[1] * 0.1, scaled[2] * 1e-4)
            return np.asarray(seen / [law.throughput(count) for count in workers]) - 1

        start = [1.0, truth.contention / 0.1 + 1e-3, truth.coherency / 1e-4 + 1e-3]
        theirs = optimize.least_squares(misses, start, bounds=(0, np.inf), xtol=1e-14, ftol=1e-14, gtol=1e-14)
        mine = misses(np.array([ours.rate / 80, ours.contention / 0.1, ours.coherency / 1e-4]))
        assert float(mine @ mine) <= 2 * theirs.cost + 1e-12
        assert ours.rate == pytest.approx(theirs.x[0] * 80, rel=1e-3)
        assert ours.contention == pytest.approx(theirs.x[1] * 0.1, abs=1e-4)
        assert ours.coherency == pytest.approx(theirs.x[2] * 1e-4, abs=1e-6)


@pytest.mark.parametrize("n", [4, 6, 10, 20, 39])
@pytest.mark.parametrize("chance", [0.1, 0.025, 0.002 / 20])
def test_bound_is_the_last_rank_that_is_rare_enough(n: int, chance: float) -> None:
    """SciPy's exact one-sided p is that of a sample whose negative ranks add up to just that rank."""
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
