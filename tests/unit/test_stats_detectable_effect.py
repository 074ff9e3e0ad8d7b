"""Check the detectable difference against fresh experiments."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import pytest

from bench.stats.detectable_effect import blocks_to_show, least_blocks, smallest_difference
from bench.stats.signed_rank import shift_interval

Draw: TypeAlias = Callable[[np.random.Generator, int], list[float]]


pytestmark = pytest.mark.no_cover  # tracing takes twice as long as the simulations


def quiet(source: np.random.Generator, n: int) -> list[float]:
    """Draw pairs of a quiet machine: normal, 2 %."""
    return list(source.normal(0, 0.02, n))


def spiky(source: np.random.Generator, n: int) -> list[float]:
    """Draw pairs of skewed values of which one in ten is a spike."""

    def side() -> np.ndarray:
        values = source.lognormal(0, 0.03, n)
        return np.log(np.where(source.random(n) < 0.1, values * (1 + source.exponential(0.3, n)), values))

    return list(side() - side())


def power(draw: Draw, difference: float, blocks: int, experiments: int) -> float:
    """Return in which share of fresh experiments a true difference shows."""
    source = np.random.default_rng(99)
    found = 0
    for _ in range(experiments):
        interval = shift_interval([difference + pair for pair in draw(source, blocks)])
        assert interval.low is not None
        found += interval.low > 0
    return found / experiments


@pytest.mark.long
@pytest.mark.parametrize(
    ("blocks", "experiments"),
    [
        *((8, 1200), (20, 1000), (64, 300)),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in ((8, 4000), (20, 3000), (64, 500))),
    ],
)
@pytest.mark.parametrize("draw", [quiet, spiky])
def test_the_promised_difference_shows_in_95_of_100_experiments(
    draw: Draw, blocks: int, experiments: int
) -> None:
    """Within three points, if the spread is known from many pairs."""
    pairs = draw(np.random.default_rng(1), 2000)
    assert power(draw, smallest_difference(pairs, blocks), blocks, experiments) == pytest.approx(
        0.95, abs=0.03
    )


def test_known_spread_gives_the_theoretical_difference() -> None:
    """3.6 standard errors for normal pairs, a little more since ranks know less than means."""
    pairs = quiet(np.random.default_rng(1), 2000)
    for blocks in (20, 64, 256):
        ideal = (1.96 + 1.645) * 0.02 / math.sqrt(blocks)
        assert ideal * 0.95 < smallest_difference(pairs, blocks) < ideal * 1.15


@pytest.mark.parametrize(
    ("draw", "least", "machines"),
    [
        (spiky, 0.89, 12),
        pytest.param(spiky, 0.89, 30, marks=pytest.mark.slow),
        pytest.param(quiet, 0.92, 30, marks=pytest.mark.slow),
    ],
)
def test_twenty_pairs_promise_nearly_as_well(draw: Draw, least: float, machines: int) -> None:
    """On average over many machines; a single one knows its spread to a fifth or so, less with spikes."""
    source = np.random.default_rng(2)
    powers = [power(draw, smallest_difference(draw(source, 20), 20), 20, 300) for _ in range(machines)]
    assert least <= np.mean(powers) <= 0.98


def test_difference_scales_with_the_pairs_and_is_reproducible() -> None:
    pairs = quiet(np.random.default_rng(4), 20)
    once = smallest_difference(pairs, 8)
    assert smallest_difference(pairs, 8) == once
    assert smallest_difference([2 * pair for pair in pairs], 8) == pytest.approx(2 * once)
    assert smallest_difference([-pair for pair in pairs], 8) == once


def test_fewer_than_six_blocks_are_refused() -> None:
    """Each bound of five blocks misses in 1 of 32 experiments, more often than in 2.5 %."""
    assert least_blocks() == 6
    with pytest.raises(ValueError, match="5 blocks show no difference"):
        smallest_difference([0.01] * 20, 5)


@pytest.mark.parametrize("difference", [0.005, 0.0094, 0.02, 0.035])
def test_blocks_to_show_is_the_smallest_number_that_shows_it(difference: float) -> None:
    pairs = quiet(np.random.default_rng(5), 40)
    blocks = blocks_to_show(pairs, difference)
    assert smallest_difference(pairs, blocks) <= difference < smallest_difference(pairs, blocks - 1)


@pytest.mark.parametrize("seed", [0, 2, 7])
def test_more_blocks_never_show_less_even_with_spikes(seed: int) -> None:
    pairs = spiky(np.random.default_rng(seed), 20)
    shown = [smallest_difference(pairs, blocks) for blocks in range(6, 26)]
    assert shown == sorted(shown, reverse=True)
    for difference in (1.001 * shown[0], shown[6], 0.999 * shown[6], shown[-1]):
        first = next(blocks for blocks, least in enumerate(shown, 6) if least <= difference)
        assert blocks_to_show(pairs, difference) == first


def test_with_spikes_one_more_block_can_show_less() -> None:
    """Therefore each number of blocks stands for the best up to it."""
    pairs = spiky(np.random.default_rng(0), 20)
    shown = [smallest_difference(pairs, blocks) for blocks in range(6, 26)]
    assert any(before == after for before, after in pairwise(shown))


def test_even_a_great_difference_takes_six_blocks() -> None:
    assert blocks_to_show(quiet(np.random.default_rng(5), 40), 1.0) == 6


def test_difference_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="difference of zero"):
        blocks_to_show([0.01] * 20, 0.0)
