"""Check the crossovers of two series over numbers of workers."""

import math
import random
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats.crossover import LINEAR, SeriesPair, crossing_points, series_pairs
from bench.stats.intervals import median_interval
from bench.stats.pairwise import Sample

WORKERS = (1, 2, 5, 10, 20, 50)


def series_with(leads: Mapping[int, float], seed: int, blocks: int = 12) -> dict[int, Sample]:
    """Build samples that lead by these factors, under drift that blocks share."""
    source = random.Random(seed)
    drift = [1 + block / 10 for block in range(blocks)]
    return {
        workers: {
            block: level / workers / lead * source.lognormvariate(0, 0.005)
            for block, level in enumerate(drift)
        }
        for workers, lead in leads.items()
    }


LEVEL = dict.fromkeys(WORKERS, 1.0)
PLAIN = series_with(LEVEL, 1)


def only(first: Mapping[int, Sample], second: Mapping[int, Sample]) -> SeriesPair[str]:
    """Compare two series."""
    (pair,) = series_pairs({"first": first, "second": second})
    return pair


def test_crossover_is_found_between_the_workers_that_show_it() -> None:
    """Ahead with 1 to 5 workers, equally fast with 10, behind with 20 and 50."""
    leads = {1: 1.3, 2: 1.2, 5: 1.1, 10: 1.0, 20: 0.9, 50: 0.8}
    found = only(series_with(leads, 2), PLAIN)
    (crossover,) = found.crossovers
    assert (crossover.below, crossover.above) == (5, 20)
    assert crossover.at is not None
    assert crossover.at.low is not None
    assert crossover.at.high is not None
    assert crossover.at.low <= 10 * 1.05
    assert crossover.at.high >= 10 * 0.95
    assert found.ahead("first") == (1, 2, 5)
    assert found.ahead("second") == (20, 50)
    assert found.orders[10].verdict == "inconclusive"


def test_swapping_the_series_does_not_move_the_crossover() -> None:
    other = series_with({1: 1.3, 2: 1.2, 5: 1.1, 10: 1.0, 20: 0.9, 50: 0.8}, 2)
    one, mirrored = only(other, PLAIN), only(PLAIN, other)
    assert one.crossovers[0].at == mirrored.crossovers[0].at
    assert one.ahead("first") == mirrored.ahead("second")


def test_two_series_can_cross_twice() -> None:
    found = only(series_with({1: 1.2, 2: 1.2, 5: 0.8, 10: 0.8, 20: 1.2, 50: 1.2}, 3), PLAIN)
    assert [(each.below, each.above) for each in found.crossovers] == [(2, 5), (10, 20)]


def test_no_crossover_is_shown_without_a_verdict_on_both_sides_of_it() -> None:
    found = only(series_with({**LEVEL, 20: 0.8, 50: 0.7}, 4), PLAIN)
    assert found.crossovers == ()
    assert found.ahead("second") == (20, 50)


def test_too_few_blocks_show_no_crossover() -> None:
    """Six verdicts take eight blocks; with seven, no pair is testable."""
    leads = {1: 1.5, 2: 1.5, 5: 1.5, 10: 0.5, 20: 0.5, 50: 0.5}
    assert only(series_with(leads, 5, 8), series_with(LEVEL, 6, 8)).crossovers != ()
    found = only(series_with(leads, 5, 7), series_with(LEVEL, 6, 7))
    assert found.crossovers == ()
    assert not any(order.is_testable for order in found.orders.values())


def test_series_with_one_shared_number_of_workers_are_not_compared() -> None:
    assert series_pairs({"first": {1: {0: 1.0}, 2: {0: 1.0}}, "second": {2: {0: 1.0}, 3: {0: 1.0}}}) == ()


def test_crossover_without_a_common_block_has_no_interval() -> None:
    early = {block: 1.0 + block / 100 for block in range(10)}
    late = {block: 1.0 + block / 100 for block in range(10, 20)}
    slow = {1: early, 2: late}
    quick = {
        1: {block: value * 1.3 for block, value in early.items()},
        2: {block: value * 0.7 for block, value in late.items()},
    }
    (crossover,) = only(slow, quick).crossovers
    assert (crossover.below, crossover.above, crossover.at) == (1, 2, None)


@pytest.mark.parametrize(
    ("leads", "workers"),
    [
        ({10: 0.1, 40: -0.1}, 20.0),
        ({10: 0.3, 40: -0.1}, 10 * 4**0.75),
        ({10: 0.1, 20: 0.1, 40: -0.1}, 20 * 2**0.5),
        ({10: 0.1, 40: 0.1}, 40.0),
        ({10: -0.1, 40: -0.1}, 10.0),
        ({10: 0.1, 20: -0.1, 40: 0.0}, 10 * 2**0.5),
    ],
)
def test_crossing_point_is_interpolated_between_logarithms(leads: dict[int, float], workers: float) -> None:
    """In a block without a crossing it is the nearer end."""
    assert crossing_points([leads]) == [pytest.approx(workers)]


@given(st.lists(st.integers(-1000, 1000), min_size=6, max_size=6), st.floats(0.01, 100))
def test_crossing_point_lies_within_the_ends_whatever_the_unit(leads: list[int], scale: float) -> None:
    (found,) = crossing_points([dict(zip(WORKERS, leads, strict=True))])
    assert 1 <= found <= 50 * (1 + 1e-9)
    (scaled,) = crossing_points([dict(zip(WORKERS, [scale * lead for lead in leads], strict=True))])
    assert scaled == pytest.approx(found, rel=1e-6)


@pytest.mark.long
@pytest.mark.no_cover  # tracing takes twice as long as the simulation
def test_interval_of_a_crossing_covers_it() -> None:
    """20,000 crossings at 20 workers, in nine blocks of skewed noise: 96.1 % by the binomial distribution."""
    source = random.Random(9)
    covered = 0
    for _ in range(20_000):
        found = median_interval(
            crossing_points(
                [
                    {
                        10: 0.2 + source.gauss(0, 0.03) * source.lognormvariate(0, 0.5),
                        40: -0.2 + source.gauss(0, 0.03) * source.lognormvariate(0, 0.5),
                    }
                    for _ in range(9)
                ]
            )
        )
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 20 <= found.high
    assert 0.94 <= covered / 20_000 <= 0.965


def test_equal_series_cross_in_one_run_of_twenty_at_most() -> None:
    """300 runs of three equal series: the binomial limit of 5 % at 99.9 % is 9.4 %."""
    source = random.Random(10)
    alarms = 0
    for _ in range(300):
        drift = [source.lognormvariate(0, 0.3) for _ in range(11)]
        series = {
            name: {
                workers: {block: level * math.exp(source.gauss(0, 0.05)) for block, level in enumerate(drift)}
                for workers in (1, 5, 20)
            }
            for name in "abc"
        }
        alarms += any(
            order.verdict in {"faster", "slower"}
            for pair in series_pairs(series)
            for order in pair.orders.values()
        )
    assert alarms <= 28


def test_interval_covers_a_crossing_near_a_count_that_decides_nothing() -> None:
    """At 200 downloads noise decides which is ahead; summed stretches had 88 %, and 208 in place of 150."""
    source = random.Random(5)
    covered, middles = 0, []
    for _ in range(300):
        leads = [
            {
                count: (0.15 + 0.001 * count) * source.lognormvariate(0, 0.03)
                - 0.002 * count * source.lognormvariate(0, 0.03)
                for count in (20, 200, 2_000)
            }
            for _ in range(20)
        ]
        found = median_interval(crossing_points(leads, LINEAR))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 150 <= found.high
        middles.append(found.estimate)
    assert covered >= 0.93 * 300
    assert sorted(middles)[150] == pytest.approx(150, rel=0.15)
