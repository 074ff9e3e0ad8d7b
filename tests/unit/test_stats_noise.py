"""Check the noise of a case against itself, and the gates that it allows."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bench.model.cases import Case
from bench.model.results import Run
from bench.stats.noise import CaseNoise, Gate, Noise, case_noise, gate_for, measure_noise
from tests.builders import case, failed, run_of, trials

pytestmark = pytest.mark.no_cover  # tracing takes twice as long as the simulations

LOOP = case("asyncio_gather", "aiohttp", workers=20)


def a(of: Case) -> Case:
    """Return the first variant of a case."""
    return replace(of, variant="a")


def b(of: Case) -> Case:
    """Return the second variant of a case."""
    return replace(of, variant="b")


@cache
def noise_with(
    sigma: float, blocks: int = 20, seed: int = 1, drift: float = 0.0, jump: float = 0.0
) -> CaseNoise:
    """Measure the noise of variants that share a drift, and one jump of the level half-way."""
    source = np.random.default_rng(seed)
    level = [
        0.1 * math.exp(drift * block / (blocks - 1) + jump * (block >= blocks / 2)) for block in range(blocks)
    ]
    first, second = (
        {
            block: float(level[block] * math.exp(source.normal(0, sigma / math.sqrt(2))))
            for block in range(blocks)
        }
        for _ in range(2)
    )
    return case_noise("it", first, second)


def test_common_change_of_both_variants_is_drift_not_noise() -> None:
    """The level rises by 30 % over the run, the pairs differ by 1 %."""
    found = noise_with(0.01, blocks=200, drift=math.log(1.3))
    assert found.floor == pytest.approx(0.01, rel=0.15)
    assert found.within == pytest.approx(0.0196, rel=0.2)
    assert found.drift.estimate == pytest.approx(0.3, abs=0.01)
    assert found.drift.low is not None
    assert found.drift.low > 0.28
    assert found.median_s == pytest.approx(0.1 * math.sqrt(1.3), rel=0.01)


def test_steady_machine_has_no_drift_autocorrelation_or_spikes() -> None:
    found = noise_with(0.02)
    assert found.drift.low is not None
    assert found.drift.high is not None
    assert found.drift.low < 0 < found.drift.high
    assert abs(found.autocorrelation) < found.chance == pytest.approx(0.438, abs=0.001)
    assert found.spikes == 0.0


def test_level_that_jumps_is_autocorrelated() -> None:
    found = noise_with(0.01, jump=0.5)
    assert found.autocorrelation > found.chance


def test_more_blocks_show_smaller_differences() -> None:
    eight, twenty, many = noise_with(0.02).detectable
    assert (eight.blocks, twenty.blocks, many.blocks) == (8, 20, 64)
    assert eight.slowdown > twenty.slowdown > many.slowdown > 0


def run_with(lost: int = 0) -> Run:
    """Build a run of ten blocks against itself; the first ``lost`` trials of one variant failed."""
    values = [0.1 + 0.001 * block for block in range(10)]
    good = trials(b(LOOP), values)
    bad = [failed(b(LOOP), block, "crash", "") for block in range(lost)]
    return run_of({a(LOOP): trials(a(LOOP), values), b(LOOP): [*bad, *good[lost:]]})


def test_noise_is_measured_from_both_variants_of_a_case() -> None:
    (found,) = measure_noise(run_with()).cases
    assert found.case == LOOP.id
    assert found.pairs == (0.0,) * 10
    assert found.drift.estimate == pytest.approx(0.09, rel=0.01)


def test_pairs_are_second_divided_by_first() -> None:
    first = dict.fromkeys(range(8), 0.1)
    found = case_noise("it", first, dict.fromkeys(range(8), 0.2))
    assert found.pairs == pytest.approx([math.log(2)] * 8)
    assert found.within == pytest.approx(1.0)


def test_block_without_both_variants_is_no_pair() -> None:
    """Six pairs are left of ten; with five, the case counts as unmeasured."""
    (found,) = measure_noise(run_with(lost=4)).cases
    assert len(found.pairs) == 6
    nothing = measure_noise(run_with(lost=5))
    assert (nothing.cases, nothing.unmeasured) == ((), (LOOP.id,))


def test_gate_above_the_detectable_slowdown_is_held() -> None:
    gate = gate_for(Noise((noise_with(0.02),), ()), 0.03, 20)
    assert gate.is_held
    assert gate.shown is not None
    assert gate.shown < 0.03


def test_gate_below_the_noise_floor_is_refused_with_the_blocks_needed() -> None:
    """The noisiest case decides; the number of blocks named is enough, and one fewer is not."""
    noise = Noise((noise_with(0.005, seed=2), noise_with(0.04, seed=3)), ())
    gate = gate_for(noise, 0.01, 20)
    assert gate.needed == gate_for(Noise(noise.cases[1:], ()), 0.01, 20).needed > 64
    assert gate.shown == next(each.slowdown for each in noise.cases[1].detectable if each.blocks == 20)
    assert not gate.is_held
    assert not gate_for(noise, 0.01, gate.needed - 1).is_held
    assert gate_for(noise, 0.01, gate.needed).is_held


@pytest.mark.parametrize("blocks", [8, 12, 15, 20, 64, 100])
def test_blocks_needed_and_slowdown_shown_agree_even_with_spikes(blocks: int) -> None:
    source = np.random.default_rng(0)
    spikes = [dict(enumerate(map(float, np.exp(source.exponential(0.1, 20) ** 2)))) for _ in "ab"]
    noise = Noise((case_noise("it", *spikes), noise_with(0.02)), ())
    shown = gate_for(noise, 0.05, blocks).shown
    assert shown is not None
    for threshold in (0.01, 0.03, 0.99 * shown, 1.01 * shown):
        assert gate_for(noise, threshold, blocks).is_held == (shown <= threshold)


def test_too_few_blocks_hold_no_gate() -> None:
    assert gate_for(Noise((noise_with(0.01),), ()), 0.5, 3) == Gate(0.5, 3, needed=6, shown=None)


def test_failed_blocks_leave_no_gap_in_the_autocorrelation() -> None:
    """Their neighbours count as adjacent; the drift knows how far apart they are."""
    values = [0.1, 0.11, 0.13, 0.12, 0.15, 0.16, 0.14]
    whole = dict(enumerate(values))
    apart = {3 * block: value for block, value in whole.items()}
    closed, gaping = case_noise("it", whole, whole), case_noise("it", apart, apart)
    assert gaping.autocorrelation == closed.autocorrelation
    assert gaping.drift.estimate == pytest.approx(closed.drift.estimate)
