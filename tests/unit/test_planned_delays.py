"""Test planned delays and faults: repeatable, of the right shape, and independent."""

from statistics import mean, quantiles

import pytest

from bench.model.cases import Fault, Fixed, LogNormal, Profile, Sampled, Uniform
from bench.model.planned_delays import PlannedDelay, is_steady, plan_delay, service_s

MANY = 4_000
ERROR = Fault("status", 0.25, 418)


def delays(profile: Profile) -> list[float]:
    """Return the delays of many requests of one round."""
    return [plan_delay(profile, 1, 0, "BR", attempt).delay_s for attempt in range(MANY)]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (Profile("p", Uniform(0.5, 5)), PlannedDelay(4.922282681, None)),
        (
            Profile("p", LogNormal(0.1, 0.4), jitter_s=0.01, faults=(Fault("status", 0.5, 418),)),
            PlannedDelay(0.351414269, None),
        ),
    ],
)
def test_planned_delay_is_the_same_on_every_machine(profile: Profile, expected: PlannedDelay) -> None:
    """Known answers: Python's version and platform do not matter."""
    assert plan_delay(profile, seed=1, block=2, country="BR", attempt=3) == expected


def test_seed_block_country_and_attempt_each_change_the_delay() -> None:
    profile = Profile("p", Uniform(0, 1))
    keys = [(1, 0, "BR", 0), (2, 0, "BR", 0), (1, 1, "BR", 0), (1, 0, "FR", 0), (1, 0, "BR", 1)]
    assert len({plan_delay(profile, *key) for key in keys}) == len(keys)


def test_uniform_latency_fills_its_range_evenly() -> None:
    drawn = delays(Profile("p", Uniform(1, 5)))
    assert 1 < min(drawn) < max(drawn) < 5
    assert quantiles(drawn, n=4) == pytest.approx([2, 3, 4], abs=0.1)


def test_log_normal_latency_has_its_median_and_p99() -> None:
    cuts = quantiles(delays(Profile("p", LogNormal(0.1, 0.4))), n=100)
    assert cuts[49] == pytest.approx(0.1, rel=0.05)
    assert cuts[98] == pytest.approx(0.4, rel=0.15)


def test_sampled_latency_is_each_value_as_often() -> None:
    values_s = (0.01, 0.02, 0.02, 0.5)
    drawn = delays(Profile("p", Sampled(values_s)))
    assert set(drawn) == set(values_s)
    assert [drawn.count(value_s) / MANY for value_s in (0.01, 0.02, 0.5)] == pytest.approx(
        [0.25, 0.5, 0.25], abs=0.03
    )


def test_jitter_moves_latency_both_ways_but_never_below_zero() -> None:
    drawn = delays(Profile("p", Fixed(0.01), jitter_s=0.03))
    assert min(drawn) == 0
    assert max(drawn) == pytest.approx(0.04, abs=0.001)
    assert mean(delay == 0 for delay in drawn) == pytest.approx(1 / 3, abs=0.03)


def test_errors_have_their_rate_and_do_not_change_the_delay() -> None:
    without, with_errors = (Profile("p", Uniform(0, 1)), Profile("q", Uniform(0, 1), faults=(ERROR,)))
    drawn = [plan_delay(with_errors, 1, 0, "BR", attempt) for attempt in range(MANY)]
    assert mean(each.fault is not None for each in drawn) == pytest.approx(0.25, abs=0.02)
    assert [each.delay_s for each in drawn] == delays(without)
    failed = mean(each.delay_s for each in drawn if each.fault)
    assert failed == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("rate", "expected"), [(0.0, {None}), (1.0, {418})])
def test_error_rates_of_zero_and_one_are_exact(rate: float, expected: set[int | None]) -> None:
    profile = Profile("p", faults=(Fault("status", rate, 418),))
    met = {plan_delay(profile, 1, 0, "BR", attempt).fault for attempt in range(MANY)}
    assert {fault and fault.status for fault in met} == expected


@pytest.mark.parametrize(
    ("profile", "steady"),
    [
        (Profile("p", Fixed(0.05), bandwidth=10), True),
        (Profile("p", Uniform(0, 1)), False),
        (Profile("p", LogNormal(0.1, 0.2)), False),
        (Profile("p", jitter_s=0.1), False),
        (Profile("p", faults=(Fault("status", 0.1, 418),)), False),
    ],
)
def test_only_a_profile_without_randomness_is_steady(profile: Profile, *, steady: bool) -> None:
    assert is_steady(profile) is steady


@pytest.mark.parametrize(
    ("bandwidth", "expected", "seconds"),
    [
        (None, PlannedDelay(0.5, None), 0.5),
        (1_000.0, PlannedDelay(0.5, None), 2.5),
        (1_000.0, PlannedDelay(0.5, Fault("status", 0.1, 418)), 0.5),
    ],
)
def test_service_time_is_the_delay_and_the_body_at_its_bandwidth(
    bandwidth: float | None, expected: PlannedDelay, seconds: float
) -> None:
    """An error has next to no body."""
    assert service_s(expected, 2_000, Profile("p", bandwidth=bandwidth)) == seconds
