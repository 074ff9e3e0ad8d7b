"""Check the error rates of the sequential test on simulated machines: false alarms, power, the coin.

The short form is quick and coarse; the long one (``slow``) has the figures of docs/statistics.md, and writes
them to stdout (``pytest -m slow -s``). Both are seeded.
"""

import math
import sys
from dataclasses import replace
from typing import Final

import numpy as np
import pytest
from scipy.stats import binom

from bench.stats.metrics import metric_value
from bench.stats.sequential_test import early_look
from tests.builders import case, round_of, trials
from tests.simulated_comparison import (
    METRICS,
    NOISY,
    QUIET,
    ROUNDS,
    RULE,
    SHARED,
    TYPICAL,
    WILD,
    Difference,
    Machine,
    Shares,
    log_ratios,
    low_half,
    shares,
)

IDENTICAL: Final = Difference()
PENALISED: Final = Difference(penalty=0.03)
SLOWER: Final = Difference(change=0.05)
SLOWER_AND_PENALISED: Final = Difference(change=0.05, penalty=0.03)
MUCH_SLOWER: Final = Difference(change=0.10)
OBVIOUS: Final = Difference(change=2.6)
FIXED: Final = Difference(penalty=0.03, is_drawn=False)

MACHINES: Final = (QUIET, TYPICAL, SHARED, NOISY)
POWER: Final = {"quiet": 0.95, "typical": 0.95, "shared": 0.95, "noisy": 0.90}
"""Least share of changes of 5 % that must be found."""
LONG: Final = 4000
"""Comparisons of the long form."""
VERY_LONG: Final = 20_000

on_each_machine = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)


def limit_of(comparisons: int, chance: float = RULE.alpha) -> int:
    """Return the most alarms, 99.9 % sure, in so many comparisons with this chance of an alarm each."""
    return int(binom.ppf(0.999, comparisons, chance))


def noise(machine: Machine) -> float:
    """Measure the noise of a pair: the standard deviation of its log-ratio, from the median deviation."""
    drawn = log_ratios(np.random.default_rng(3), machine, IDENTICAL, 2000)
    return float(1.4826 * np.median(np.abs(drawn - np.median(drawn))))


@pytest.mark.parametrize("machine", [*MACHINES, WILD], ids=lambda machine: machine.name)
def test_simulated_machine_has_its_noise(machine: Machine) -> None:
    """The scale is that of the log-ratio of identical variants, within a tenth."""
    assert noise(machine) == pytest.approx(machine.noise, rel=0.1)


def test_simulation_reduces_rounds_like_the_metric() -> None:
    """The faster half of five rounds, in logarithms."""
    drawn = np.random.default_rng(4).normal(-3.0, 0.1, ROUNDS)
    (trial,) = trials(case(), [1.0])
    rounds = tuple(round_of(float(each)) for each in np.exp(drawn))
    value = metric_value(replace(trial, rounds=rounds), "elapsed")
    assert value is not None
    assert math.log(value) == pytest.approx(float(low_half(drawn)))


@on_each_machine
@pytest.mark.parametrize("sides", [IDENTICAL, PENALISED], ids=["identical", "first-penalised"])
def test_identical_variants_raise_few_alarms(machine: Machine, sides: Difference) -> None:
    """In at most a hundredth of comparisons, whether or not going first makes a variant slower."""
    assert shares(machine, sides, 100, seed=11).alarmed <= limit_of(100)


@on_each_machine
@pytest.mark.parametrize("sides", [SLOWER, SLOWER_AND_PENALISED], ids=["plain", "first-penalised"])
def test_change_of_five_percent_is_found(machine: Machine, sides: Difference) -> None:
    """It is found as often as required, and seldom called *equivalent*."""
    found = shares(machine, sides, 40, seed=12)
    assert found.share("slower") >= POWER[machine.name]
    assert found.share("equivalent") <= RULE.beta


@on_each_machine
def test_change_of_ten_percent_is_found_in_99_of_100_comparisons(machine: Machine) -> None:
    assert shares(machine, MUCH_SLOWER, 40, seed=13).share("slower") >= 0.99


@pytest.mark.parametrize("machine", [SHARED, NOISY], ids=lambda machine: machine.name)
def test_fixed_order_raises_false_alarms(machine: Machine) -> None:
    """If the candidate always went first, and going first cost 3 %, identical variants would alarm."""
    assert shares(machine, FIXED, 40, seed=14).alarmed >= 0.95 * 40


def test_fixed_order_below_the_margin_is_equivalent_on_a_quiet_machine() -> None:
    """It is sure of the 3 % before the first alarm can be raised, so that few comparisons alarm."""
    found = shares(QUIET, FIXED, 40, seed=14)
    assert found.share("equivalent") >= 0.99
    wide = shares(QUIET, replace(FIXED, penalty=0.06), 40, seed=14)
    assert wide.alarmed == wide.comparisons


@pytest.mark.parametrize("series", [640, pytest.param(1600, marks=pytest.mark.slow)])
@pytest.mark.parametrize("metrics", [1, 2, 4, 8, 16])
def test_small_families_keep_the_error_rates_and_alarm_early(metrics: int, series: int) -> None:
    """Each direction errs in at most 1 % where nothing is decided early; an obvious change takes one look."""
    found = shares(WILD, IDENTICAL, series // metrics, seed=31, metrics=metrics)
    assert found.slowed <= limit_of(found.comparisons)
    assert found.alarmed <= limit_of(found.comparisons, 2 * RULE.alpha)
    obvious = shares(NOISY, OBVIOUS, 40, seed=32, metrics=metrics)
    assert obvious.share("slower") == 1
    assert obvious.blocks == early_look(metrics)
    small = shares(NOISY, SLOWER, max(40, 320 // metrics), seed=33, metrics=metrics)
    assert small.share("slower") >= POWER[NOISY.name]
    assert small.share("equivalent") <= RULE.beta


def test_eight_blocks_far_beyond_the_margin_may_be_luck() -> None:
    """If going first costs 260 %, a coin makes all eight blocks of identical variants alike, once in 128."""
    drawn = log_ratios(np.random.default_rng(34), TYPICAL, Difference(penalty=2.6), 20_000, blocks=8)
    assert np.all(np.abs(drawn) > math.log(2))
    alike = np.all(drawn > 0, axis=1) | np.all(drawn < 0, axis=1)
    assert int(alike.sum()) == pytest.approx(20_000 / 128, rel=0.3)
    comparisons = alike.reshape(-1, METRICS).any(axis=1)
    assert int(comparisons.sum()) > 2 * limit_of(len(comparisons), 2 * RULE.alpha)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_error_rates_of_small_families() -> None:
    """Those of 20,000 comparisons of two metrics without a difference."""
    found = shares(WILD, IDENTICAL, VERY_LONG, seed=78, metrics=2)
    sys.stdout.write(f"\n{WILD.name}, two metrics: {written(found)}\n")
    assert found.slowed <= limit_of(VERY_LONG)
    assert found.alarmed <= limit_of(VERY_LONG, 2 * RULE.alpha)


@pytest.mark.slow
@pytest.mark.timeout(900)
@on_each_machine
def test_error_rates_of_4000_comparisons(machine: Machine) -> None:
    found = {
        name: shares(machine, sides, LONG, seed=21 + place)
        for place, (name, sides) in enumerate(
            {
                "identical": IDENTICAL,
                "identical, first 3 % slower": PENALISED,
                "+5 %": SLOWER,
                "+5 %, first 3 % slower": SLOWER_AND_PENALISED,
                "+10 %": MUCH_SLOWER,
                "fixed order, first 3 % slower": FIXED,
            }.items()
        )
    }
    sys.stdout.write(f"\n{machine.name}: noise of a pair {noise(machine):.3%}\n")
    for name, each in found.items():
        sys.stdout.write(f"  {name}: {written(each)}\n")
    for name in ("identical", "identical, first 3 % slower"):
        assert found[name].alarmed <= limit_of(LONG)
    for name in ("+5 %", "+5 %, first 3 % slower"):
        assert found[name].share("slower") >= POWER[machine.name]
        assert found[name].share("equivalent") <= RULE.beta
    assert found["+10 %"].share("slower") >= 0.99


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_direction_errs_in_at_most_1_percent_if_all_looks_are_taken() -> None:
    """A noise of 10 % decides nothing early: ``slower`` errs in 1 %, ``slower`` or ``faster`` in 2 %."""
    found = shares(WILD, IDENTICAL, VERY_LONG, seed=77)
    sys.stdout.write(f"\n{WILD.name}: {written(found)}\n")
    assert found.slowed <= limit_of(VERY_LONG)
    assert found.alarmed <= limit_of(VERY_LONG, 2 * RULE.alpha)


def written(found: Shares) -> str:
    """Write the results of many comparisons, each share with its standard error."""
    metrics = found.comparisons * found.metrics
    return ", ".join(
        [
            f"alarmed {_share(found.alarmed, found.comparisons)}",
            f"slowed {_share(found.slowed, found.comparisons)}",
            *(f"{name} {_share(count, metrics)}" for name, count in sorted(found.verdicts.items())),
            f"{found.blocks:.1f} blocks",
        ]
    )


def _share(count: int, of: int) -> str:
    part = count / of
    return f"{part:.3%} ± {math.sqrt(part * (1 - part) / of):.3%}"
