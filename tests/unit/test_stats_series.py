"""Check spread, spikes, slope and autocorrelation against SciPy and by simulation."""

import numpy as np
import pytest
from scipy import stats

from bench.stats.series import autocorrelation, chance_bound, robust_sigma, spike_share, theil_sen_slope


@pytest.mark.parametrize("n", [2, 7, 20, 101])
def test_robust_sigma_equals_scipys_scaled_deviation(n: int) -> None:
    values = np.random.default_rng(n).lognormal(size=n)
    theirs = stats.median_abs_deviation(values, scale="normal")
    assert robust_sigma(list(values)) == pytest.approx(theirs, rel=1e-4)


def test_outliers_hardly_change_the_spread() -> None:
    values = [1.0, 1.1, 0.9, 1.05, 0.95, 1.02, 0.98, 1.0]
    assert robust_sigma([*values, 1000.0, 1000.0]) < 2 * robust_sigma(values)


@pytest.mark.parametrize(
    ("values", "share"),
    [
        ([1.0, 1.1, 0.9, 1.05, 0.95, 1.02, 0.98, 1.0, 3.0, 1.0], 0.1),
        ([1.0, 1.1, 0.9, 1.05, 0.95, 1.02, 0.98, 1.0, 1.01, 1.0], 0.0),
        ([1.0, 1.1, 0.9, 1.05, 0.95, 1.02, 0.98, 1.0, -9.0, 1.0], 0.0),
        ([1.0] * 9 + [1.5], 0.1),
    ],
)
def test_spikes_are_far_above_the_median_never_below(values: list[float], share: float) -> None:
    assert spike_share(values) == share


def test_normal_values_are_rarely_spikes() -> None:
    """One normal value in 4,300 is more than 3.5 standard deviations above the mean."""
    values = np.random.default_rng(1).normal(size=20_000)
    assert spike_share(list(values)) < 0.001


@pytest.mark.parametrize("n", [5, 8, 20, 64])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_slope_and_its_bounds_equal_scipys(n: int, level: float) -> None:
    source = np.random.default_rng(n)
    times = np.cumsum(source.integers(1, 4, n))
    values = 0.3 * times + source.standard_t(2, n)
    theirs = stats.theilslopes(values, times, alpha=level)
    ours = theil_sen_slope(list(times), list(values), level)
    assert ours.estimate == pytest.approx(theirs.slope)
    assert (ours.low, ours.high) == pytest.approx((theirs.low_slope, theirs.high_slope))


def test_three_values_have_a_slope_without_bounds() -> None:
    found = theil_sen_slope([0, 1, 2], [1.0, 3.0, 5.0])
    assert (found.estimate, found.low, found.high) == (2.0, None, None)


def test_interval_covers_the_slope_of_spiky_values() -> None:
    source = np.random.default_rng(2)
    covered = 0
    for _ in range(2000):
        spikes = np.where(source.random(20) < 0.1, 5.0, 0.0)
        found = theil_sen_slope(range(20), list(0.1 * np.arange(20) + source.normal(size=20) + spikes))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.1 <= found.high
    assert 0.94 <= covered / 2000 <= 0.97


def test_autocorrelation_equals_the_textbook_formula() -> None:
    """With the mean and the sum of squares of the whole series, as in Box & Jenkins."""
    values = np.random.default_rng(3).normal(size=40)
    centred = values - values.mean()
    assert autocorrelation(list(values)) == pytest.approx(centred[1:] @ centred[:-1] / (centred @ centred))


def test_autocorrelation_of_trending_alternating_and_constant_series() -> None:
    source = np.random.default_rng(4)
    values = [0.0]
    for shock in source.normal(size=2000):
        values.append(0.8 * values[-1] + shock)
    assert autocorrelation(values) == pytest.approx(0.8, abs=0.05)
    assert autocorrelation([1.0, -1.0] * 50) == pytest.approx(-0.99)
    assert autocorrelation([2.5] * 10) == 0.0


def test_independent_values_stay_within_the_chance_bound() -> None:
    source = np.random.default_rng(5)
    series = [autocorrelation(list(source.normal(size=20))) for _ in range(4000)]
    within = sum(abs(found) <= chance_bound(20) for found in series) / len(series)
    assert 0.93 <= within <= 0.975
