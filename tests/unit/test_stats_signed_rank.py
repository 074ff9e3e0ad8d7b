"""Check the exact signed-rank test and the shift that belongs to it."""

import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats.intervals import Interval
from bench.stats.signed_rank import p_value, shift_interval, walsh_averages

differences = st.lists(
    st.floats(-1e3, 1e3).filter(lambda value: abs(value) > 1e-6), min_size=1, max_size=12, unique_by=abs
)


def test_p_equals_counting_all_assignments_of_signs() -> None:
    magnitudes = [0.3, 1.1, 2.0, 2.6, 3.7, 5.1, 7.9]
    ranks = range(1, len(magnitudes) + 1)
    totals = [
        sum(rank for rank, is_positive in zip(ranks, signs, strict=True) if is_positive)
        for signs in product([False, True], repeat=len(magnitudes))
    ]
    for signs in product([-1, 1], repeat=len(magnitudes)):
        sample = [sign * size for sign, size in zip(signs, magnitudes, strict=True)]
        observed = sum(rank for rank, value in zip(ranks, sample, strict=True) if value > 0)
        smaller = min(observed, sum(ranks) - observed)
        expected = min(1.0, 2 * sum(total <= smaller for total in totals) / len(totals))
        assert p_value(sample) == pytest.approx(expected)


def test_p_agrees_with_published_critical_values() -> None:
    """Hollander, Wolfe & Chicken, table A.4: for n = 10, P(W+ <= 8) = .0244."""
    sample = [-1.0, -2.0, -5.0, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0, 10.0]  # W- = 8
    assert p_value(sample) == pytest.approx(2 * 0.0244140625)


@given(differences)
def test_p_does_not_depend_on_order_sign_or_scale(sample: list[float]) -> None:
    assert p_value(sample[::-1]) == p_value(sample)
    assert p_value([-value for value in sample]) == p_value(sample)
    assert p_value([value * 4 for value in sample]) == p_value(sample)


@pytest.mark.parametrize(
    ("sample", "p"),
    [([0.0] * 6, 1.0), ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 0.0625), ([0.0, 0.0, 1.0, 2.0, 3.0, 4.0], 0.09375)],
)
def test_zero_difference_counts_half_for_each_sign(sample: list[float], p: float) -> None:
    """If halves are not in the table, the larger p is taken."""
    assert p_value(sample) == pytest.approx(p)


@given(differences)
def test_estimate_lies_within_its_interval(sample: list[float]) -> None:
    interval = shift_interval(sample)
    if interval.low is not None and interval.high is not None:
        assert interval.low <= interval.estimate <= interval.high


def test_shift_interval_needs_six_differences_for_95_percent() -> None:
    """With five, even the widest bounds hold only 93.75 %."""
    assert shift_interval([1.0, 2.0, 3.0, 4.0, 5.0]).low is None
    assert shift_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == Interval(3.5, 1.0, 6.0)


def test_walsh_averages_include_each_value_with_itself() -> None:
    assert walsh_averages([3.0, 1.0]) == [1.0, 2.0, 3.0]


def test_large_samples_are_approximated_closely() -> None:
    source = random.Random(4)
    sample = [source.gauss(0.1, 1) for _ in range(201)]
    assert p_value(sample) == pytest.approx(p_value(sample[:200]), abs=0.05)
    assert p_value([value + 1 for value in sample]) < 1e-6
