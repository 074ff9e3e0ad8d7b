"""Check invariances of the statistics for any values: units, order and sides."""

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.lower_bound import ideal_s
from bench.stats.intervals import Interval, block_value, median_interval, quantile_interval
from bench.stats.pairwise import compare_cases, compare_samples, holm
from bench.stats.sequential_test import SequentialRule, decide_metric
from bench.stats.signed_rank import shift_interval

RULE = SequentialRule()

times = st.floats(1e-4, 1e3)
samples = st.lists(times, min_size=1, max_size=25)
units = st.sampled_from([1e-3, 0.25, 3.0, 1000.0])
shares = st.floats(0.01, 0.99)
probabilities = st.lists(st.floats(0, 1), max_size=12)
pairs = st.lists(st.tuples(times, times), min_size=1, max_size=16)


def assert_same(found: Interval, expected: Interval, unit: float) -> None:
    """Fail unless two intervals are the same but for the unit."""
    assert found.estimate == pytest.approx(expected.estimate * unit)
    for bound, other in ((found.low, expected.low), (found.high, expected.high)):
        assert bound == (None if other is None else pytest.approx(other * unit))


@given(samples, shares, units, st.randoms())
def test_quantiles_change_with_the_unit_but_not_the_order(
    values: list[float], quantile: float, unit: float, shuffler: random.Random
) -> None:
    shuffled = [value * unit for value in values]
    shuffler.shuffle(shuffled)
    assert_same(quantile_interval(shuffled, quantile), quantile_interval(values, quantile), unit)
    assert_same(median_interval(shuffled), median_interval(values), unit)
    assert block_value(shuffled) == pytest.approx(block_value(values) * unit)


@given(samples, shares)
def test_quantile_lies_within_its_bounds_which_are_values(values: list[float], quantile: float) -> None:
    found = quantile_interval(values, quantile)
    if found.low is not None and found.high is not None:
        assert found.low <= found.estimate <= found.high
        assert {found.low, found.high} <= set(values)


@given(samples, units, st.randoms())
def test_shifts_change_with_the_unit_but_not_the_order(
    values: list[float], unit: float, shuffler: random.Random
) -> None:
    """The bounds of mirrored values are the mirrored bounds."""
    shuffled = [value * unit for value in values]
    shuffler.shuffle(shuffled)
    found = shift_interval(values)
    assert_same(shift_interval(shuffled), found, unit)
    mirrored = shift_interval([-value for value in values])
    assert mirrored.estimate == pytest.approx(-found.estimate)
    if found.low is not None and found.high is not None:
        assert (mirrored.low, mirrored.high) == (-found.high, -found.low)


@given(pairs)
def test_swapping_the_cases_inverts_the_ratio(blocks: list[tuple[float, float]]) -> None:
    first, second = ([pair[side] for pair in blocks] for side in (0, 1))
    one, other = compare_cases(first, second), compare_cases(second, first)
    assert one.p == other.p
    assert one.ratio.estimate == pytest.approx(1 / other.ratio.estimate)
    if one.ratio.low is not None and one.ratio.high is not None:
        assert other.ratio.low is not None
        assert other.ratio.high is not None
        assert (1 / one.ratio.high, 1 / one.ratio.low) == pytest.approx((other.ratio.low, other.ratio.high))


@given(pairs, st.lists(times, min_size=16, max_size=16), st.randoms())
def test_shared_drift_and_order_of_blocks_do_not_change_the_ratio(
    blocks: list[tuple[float, float]], drift: list[float], shuffler: random.Random
) -> None:
    plain = compare_cases([a for a, _ in blocks], [b for _, b in blocks])
    moved = [(a * level, b * level) for (a, b), level in zip(blocks, drift, strict=False)]
    numbers = list(range(len(blocks)))
    shuffler.shuffle(numbers)
    first = {number: moved[number][0] for number in numbers}
    second = {number: moved[number][1] for number in reversed(numbers)}
    found = compare_samples(first, second)
    assert found is not None
    assert found.ratio.estimate == pytest.approx(plain.ratio.estimate)
    assert found.blocks == len(blocks)


@given(probabilities)
def test_holm_never_lowers_a_p_and_keeps_their_order(raw: list[float]) -> None:
    adjusted = holm(raw)
    assert all(
        p <= after <= min(1.0, len(raw) * p) * (1 + 1e-12) for p, after in zip(raw, adjusted, strict=True)
    )
    by_p = [after for _, after in sorted(zip(raw, adjusted, strict=True))]
    assert by_p == sorted(by_p)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12, unique=True), st.randoms())
def test_holm_does_not_depend_on_the_order(raw: list[float], shuffler: random.Random) -> None:
    places = list(range(len(raw)))
    shuffler.shuffle(places)
    adjusted = holm(raw)
    assert holm([raw[place] for place in places]) == tuple(adjusted[place] for place in places)


@given(probabilities, st.integers(0, 11), st.floats(0, 1))
def test_holm_is_monotone_in_each_p(raw: list[float], place: int, more: float) -> None:
    if place >= len(raw):
        return
    grown = [min(1.0, p + more) if other == place else p for other, p in enumerate(raw)]
    assert all(after >= before - 1e-12 for before, after in zip(holm(raw), holm(grown), strict=True))


@given(
    st.sampled_from(RULE.looks[:3]).flatmap(
        lambda blocks: st.lists(st.floats(-0.3, 0.3), min_size=blocks, max_size=blocks)
    ),
    st.integers(1, 40),
    st.randoms(),
)
def test_sequential_test_of_mirrored_blocks_has_the_mirrored_verdict(
    differences: list[float], metrics: int, shuffler: random.Random
) -> None:
    opposite = {"faster": "slower", "slower": "faster"}
    mirrored = [-value for value in differences]
    shuffler.shuffle(mirrored)
    one, other = decide_metric(differences, metrics, RULE), decide_metric(mirrored, metrics, RULE)
    assert other.verdict == opposite.get(str(one.verdict), one.verdict)
    assert other.ratio.estimate == pytest.approx(1 / one.ratio.estimate)
    if one.ratio.low is not None and one.ratio.high is not None:
        assert (other.ratio.low, other.ratio.high) == pytest.approx((1 / one.ratio.high, 1 / one.ratio.low))


@given(
    fetches=st.lists(st.tuples(st.floats(0.0, 20.0), st.integers(0, 7)), min_size=1, max_size=30),
    workers=st.integers(1, 8),
)
def test_no_division_of_fetches_among_workers_is_faster_than_the_ideal(
    fetches: list[tuple[float, int]], workers: int
) -> None:
    """Each worker takes whichever of them, one after the other, and none waits."""
    loads_s = [0.0] * workers
    for service_s, place in fetches:
        loads_s[place % workers] += min(service_s, 10.0)
    assert max(loads_s) >= ideal_s([each for each, _ in fetches], workers, 10.0) * (1 - 1e-12)


@given(
    service_s=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=30),
    workers=st.integers(1, 8),
    rate=st.sampled_from([0.5, 3.0, 10.0, 200.0]),
    pauses_s=st.lists(st.sampled_from([0.0, 0.0, 0.4]), min_size=30, max_size=30),
    shuffler=st.randoms(),
)
def test_no_order_of_fetches_in_an_open_loop_is_faster_than_the_ideal(
    service_s: list[float], workers: int, rate: float, pauses_s: list[float], shuffler: random.Random
) -> None:
    """Whichever fetch is begun as the k-th, a free worker begins it when it is due, or later."""
    order = [*service_s]
    shuffler.shuffle(order)
    free_s = [0.0] * workers
    for number, each_s in enumerate(order):
        place = min(range(workers), key=free_s.__getitem__)
        begun_s = max(free_s[place], number / rate) + pauses_s[number]
        free_s[place] = begun_s + min(each_s, 10.0)
    bound_s = ideal_s(service_s, workers, 10.0, rate)
    assert max(free_s) >= bound_s * (1 - 1e-12)
    assert bound_s >= max(ideal_s(service_s, workers, 10.0), (len(service_s) - 1) / rate)


@given(
    service_s=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=6),
    rate=st.sampled_from([0.5, 3.0, 10.0, 200.0]),
)
def test_ideal_of_an_open_loop_is_reached_by_the_best_order_with_enough_workers(
    service_s: list[float], rate: float
) -> None:
    """No bound could be higher: one of all orders takes no longer."""
    ends_s = [
        max(number / rate + each_s for number, each_s in enumerate(order))
        for order in permutations(service_s)
    ]
    assert min(ends_s) == pytest.approx(ideal_s(service_s, len(service_s), 10.0, rate))
