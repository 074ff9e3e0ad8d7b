"""Check the places at which changes are found, the rate of false alarms, and invariances."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats.change_points import LEAST_POINTS, WINDOW, find_change_points

Draw = Callable[[random.Random, int], list[float]]

whole = st.integers(-40, 40)
series = st.lists(whole, min_size=0, max_size=40)


def places(values: list[float] | list[int]) -> list[int]:
    """Return where changes are found."""
    return [found.at for found in find_change_points(values)]


def quiet(source: random.Random, n: int) -> list[float]:
    """Draw values with one hundredth of noise."""
    return [source.gauss(0, 0.01) for _ in range(n)]


def spiky(source: random.Random, n: int) -> list[float]:
    """Draw values of which every tenth or so is far too high."""
    return [value + (source.random() < 0.1) * source.expovariate(5) for value in quiet(source, n)]


def wandering(source: random.Random, n: int) -> list[float]:
    """Draw values that have half of their neighbour's deviation."""
    value = source.gauss(0, 1)
    values = []
    for _ in range(n):
        value = 0.5 * value + source.gauss(0, 0.75**0.5)
        values.append(value)
    return values


def alarms(draw: Draw, n: int, times: int, seed: int = 1) -> float:
    """Return the share of series without a change in which one is found."""
    source = random.Random(seed)
    return sum(bool(find_change_points(draw(source, n))) for _ in range(times)) / times


def test_single_leap_is_found_in_its_place() -> None:
    """Twelve points are enough, eleven are not; p is near the chance that a shuffle has these halves."""
    (found,) = find_change_points([1.0] * 6 + [2.0] * 6)
    assert found.at == 6
    assert found.p == pytest.approx(2 / 924, rel=0.5)
    assert find_change_points([1.0] * 5 + [2.0] * 6) == ()
    assert LEAST_POINTS == 12


def test_several_leaps_are_found_in_order_of_time() -> None:
    source = random.Random(4)
    levels = [0.0] * 30 + [0.05] * 20 + [0.0] * 25 + [-0.05] * 30
    assert places([level + source.gauss(0, 0.005) for level in levels]) == [30, 50, 75]


def test_constant_series_has_no_change_point() -> None:
    assert find_change_points([0.3] * 50) == ()
    assert find_change_points([]) == ()


@pytest.mark.long
def test_only_the_newest_values_are_scanned() -> None:
    source = random.Random(5)
    before = [value + 1 for value in quiet(source, 30)]
    after = quiet(source, WINDOW)
    assert places([*before, *after]) == []
    assert places([*before, *after[30:]]) == [30]
    assert places([0.0] * 500 + before + after[30:]) == [530]


@pytest.mark.parametrize("draw", [quiet, spiky])
@pytest.mark.parametrize("n", [12, 20, 60])
def test_false_alarms_are_rare(draw: Draw, n: int) -> None:
    """At most one in a hundred: more than 25 of 1,500 would occur in one of 100 tries."""
    assert alarms(draw, n, 1500) <= 25 / 1500


def test_five_percent_are_found_after_ten_points_in_one_percent_of_noise() -> None:
    source = random.Random(4)
    for _ in range(300):
        stepped = quiet(source, 10) + [value + 0.05 for value in quiet(source, 10)]
        assert any(abs(found.at - 10) <= 1 for found in find_change_points(stepped))


def test_autocorrelated_series_raise_false_alarms() -> None:
    """docs/history.md states the rate for a correlation of a half; 1,000 series can tell it this well."""
    assert 0.08 < alarms(wandering, 20, 1000) < 0.16


@pytest.mark.slow
@pytest.mark.parametrize("draw", [quiet, spiky])
@pytest.mark.parametrize("n", [12, 15, 20, 30, 50, 100, 200])
def test_false_alarms_of_many_series_are_as_rare_as_documented(draw: Draw, n: int) -> None:
    """At a rate of 1 %, more than 123 of 10,000 would occur in one of 100 tries."""
    assert alarms(draw, n, 10_000, seed=n) <= 0.0123


@pytest.mark.slow
@pytest.mark.parametrize(("n", "least", "most"), [(20, 0.1, 0.14), (40, 0.17, 0.23), (100, 0.41, 0.48)])
def test_false_alarms_of_autocorrelated_series_are_as_frequent_as_documented(
    n: int, least: float, most: float
) -> None:
    assert least < alarms(wandering, n, 4000, seed=n) < most


def test_change_undone_after_ten_points_is_mostly_found() -> None:
    """Both ends of it: the whole series has no place at which one part is higher than the other."""
    source = random.Random(6)
    found = 0
    for _ in range(100):
        levels = [0.0] * 20 + [0.05] * 10 + [0.0] * 20
        at = places([level + source.gauss(0, 0.01) for level in levels])
        found += all(any(abs(place - end) <= 1 for place in at) for end in (20, 30))
    assert found >= 65


@given(series)
@settings(deadline=None)
def test_monotone_transformation_keeps_changes_and_p(values: list[int]) -> None:
    found = find_change_points(values)
    for bent in ([value**3 + 7 for value in values], [2.0 ** (value / 8) for value in values]):
        other = find_change_points(bent)
        assert bool(other) == bool(found)
        if len(found) == len(other) == 1:
            assert other[0].p == found[0].p


@given(series, st.sampled_from([-4, -1, 2, 1024]), st.integers(-5, 5))
@settings(deadline=None)
def test_unit_and_direction_do_not_change_the_result(values: list[int], factor: int, shift: int) -> None:
    assert find_change_points([value * factor + shift for value in values]) == find_change_points(values)


@given(st.lists(whole, min_size=10, max_size=40), st.integers(0, 60))
@settings(deadline=None, max_examples=settings().max_examples // 3)
def test_series_read_backwards_has_a_change_with_the_same_p(values: list[int], step: int) -> None:
    stepped = [value + step * (place >= len(values) // 2) for place, value in enumerate(values)]
    forwards, backwards = find_change_points(stepped), find_change_points(stepped[::-1])
    assert bool(forwards) == bool(backwards)
    if len(forwards) == len(backwards) == 1:
        assert forwards[0].p == backwards[0].p


@given(st.integers(6, 30), st.integers(6, 30))
@settings(deadline=None, max_examples=settings().max_examples // 4)
def test_clean_step_read_backwards_is_at_the_mirrored_place(before: int, after: int) -> None:
    values = [0.0] * before + [1.0] * after
    assert places(values) == [before]
    assert places(values[::-1]) == [after]
