"""The exact signed-rank test, the shift that belongs to it, and comparisons built on both."""

import math
import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats.intervals import Interval
from bench.stats.pairwise import compare_cases, holm
from bench.stats.signed_rank import p_value, shift_interval, walsh_averages

differences = st.lists(
    st.floats(-1e3, 1e3).filter(lambda value: abs(value) > 1e-6), min_size=1, max_size=12, unique_by=abs
)


def test_p_equals_counting_all_assignments_of_signs() -> None:
    """The definition itself, by brute force over 2^n signs."""
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


def test_p_agrees_with_the_published_critical_values() -> None:
    """Hollander, Wolfe & Chicken, table A.4: for n = 10, P(W+ <= 8) = .0244."""
    sample = [-1.0, -2.0, -5.0, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0, 10.0]  # W- = 8
    assert p_value(sample) == pytest.approx(2 * 0.0244140625)


@given(differences)
def test_p_does_not_depend_on_order_sign_or_scale(sample: list[float]) -> None:
    """Swapping the sides or changing the unit tells nothing new."""
    assert p_value(sample[::-1]) == p_value(sample)
    assert p_value([-value for value in sample]) == p_value(sample)
    assert p_value([value * 4 for value in sample]) == p_value(sample)


@pytest.mark.parametrize(
    ("sample", "p"),
    [([0.0] * 6, 1.0), ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 0.0625), ([0.0, 0.0, 1.0, 2.0, 3.0, 4.0], 0.09375)],
)
def test_equal_blocks_count_for_neither_side(sample: list[float], p: float) -> None:
    """A zero is half a vote for each; where halves do not exist, the larger p is taken."""
    assert p_value(sample) == pytest.approx(p)


@given(differences)
def test_the_estimate_lies_within_its_interval(sample: list[float]) -> None:
    """Both come from the same sorted averages."""
    interval = shift_interval(sample)
    if interval.low is not None and interval.high is not None:
        assert interval.low <= interval.estimate <= interval.high


def test_the_shift_interval_needs_six_differences_for_95_percent() -> None:
    """With five, even the widest bounds hold only 93.75 %."""
    assert shift_interval([1.0, 2.0, 3.0, 4.0, 5.0]).low is None
    assert shift_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == Interval(3.5, 1.0, 6.0)


def test_walsh_averages_include_each_value_with_itself() -> None:
    """N values make N(N+1)/2 averages."""
    assert walsh_averages([3.0, 1.0]) == [1.0, 2.0, 3.0]


def test_large_samples_are_approximated_closely() -> None:
    """Across the border from counting to the normal approximation, p must not jump."""
    source = random.Random(4)
    sample = [source.gauss(0.1, 1) for _ in range(201)]
    assert p_value(sample) == pytest.approx(p_value(sample[:200]), abs=0.05)
    assert p_value([value + 1 for value in sample]) < 1e-6


def test_a_comparison_is_a_ratio_of_second_to_first() -> None:
    """Twice as long in every block is a ratio of two, with bounds that hold it."""
    first = [1.0, 1.1, 0.9, 1.2, 1.0, 1.05, 0.95]
    noise = [1.01, 0.99, 1.02, 0.98, 1.0, 1.015, 0.985]
    comparison = compare_cases(first, [2 * a * b for a, b in zip(first, noise, strict=True)])
    assert comparison.ratio.estimate == pytest.approx(2, rel=0.02)
    assert comparison.p == pytest.approx(2 / 2**7)
    assert comparison.blocks == 7


def test_equal_sides_are_called_different_no_more_often_than_promised() -> None:
    """1,000 comparisons of identical sides under drift that both share: at most 5 %, and some."""
    source = random.Random(7)
    alarms = 0
    for _ in range(1000):
        drift = [math.exp(source.gauss(0, 0.5)) for _ in range(10)]
        first = [level * math.exp(source.gauss(0, 0.05)) for level in drift]
        second = [level * math.exp(source.gauss(0, 0.05)) for level in drift]
        alarms += compare_cases(first, second).p <= 0.05
    assert 20 <= alarms <= 65


@pytest.mark.parametrize(
    ("raw", "adjusted"),
    [
        ([], ()),
        ([0.04], (0.04,)),
        ([0.01, 0.04, 0.03], (0.03, 0.06, 0.06)),
        ([0.5, 0.6], (1.0, 1.0)),
    ],
)
def test_holm_steps_down_and_never_decreases(raw: list[float], adjusted: tuple[float, ...]) -> None:
    """Worked by hand from Holm's paper."""
    assert holm(raw) == pytest.approx(adjusted)
