"""Check the conditions of each verdict of the sequential test, and its error rates."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bench.stats.sequential_test import (
    SequentialRule,
    blocks_to_alarm,
    decide_metric,
    early_look,
    rule_with_look,
)

RULE = SequentialRule()


@pytest.mark.parametrize(("metrics", "blocks"), [(1, 14), (20, 14), (30, 14), (40, 20), (1000, 20)])
def test_blocks_to_the_first_alarm_grow_with_the_family(metrics: int, blocks: int) -> None:
    """ceil(log2(M / (weight × alpha))) blocks, at the next look: 14 for up to 32 metrics."""
    assert blocks_to_alarm(metrics, RULE) == blocks
    needed = math.ceil(math.log2(metrics / (0.2 * RULE.alpha)))
    assert needed <= blocks


@pytest.mark.parametrize(
    ("metrics", "look"), [(1, 9), (2, 10), (4, 11), (8, 12), (16, 13), (17, 0), (20, 0), (1000, 0)]
)
def test_small_families_have_an_early_look_that_can_alarm(metrics: int, look: int) -> None:
    rule = rule_with_look(early_look(metrics))
    assert early_look(metrics) == look
    assert rule == RULE or rule.looks == (8, look, 14, 20, 30, 44, 64)
    assert blocks_to_alarm(metrics, rule) == (look or blocks_to_alarm(metrics, RULE))
    assert sum(rule.alpha_weights) == pytest.approx(1)
    assert sum(rule.beta_weights) == pytest.approx(1)
    assert len(rule.looks) == len(rule.alpha_weights) == len(rule.beta_weights)
    if look:
        assert decide_metric([0.1] * look, metrics, rule).verdict == "slower"
        assert decide_metric([0.1] * (look - 1) + [-0.001], metrics, rule).verdict is None
        assert decide_metric([0.1] * look, metrics, rule).ratio.low is not None


@pytest.mark.parametrize("look", [-1, 8, 14, 1000])
def test_impossible_early_look_of_a_document_is_ignored(look: int) -> None:
    assert rule_with_look(look) == RULE


def test_family_too_large_for_the_rule_is_refused() -> None:
    short = replace(RULE, looks=(8, 10), alpha_weights=(0.0, 1.0), beta_weights=(0.5, 0.5))
    with pytest.raises(ValueError, match="too many for 10 blocks"):
        blocks_to_alarm(20, short)


def test_number_of_blocks_that_is_no_look_is_refused() -> None:
    with pytest.raises(ValueError, match="9 blocks are none of the looks"):
        decide_metric([0.1] * 9, 1, RULE)


@pytest.mark.parametrize(
    ("change", "blocks", "verdict"),
    [
        (0.10, 8, None),
        (0.10, 14, "slower"),
        (-0.10, 14, "faster"),
        (0.0, 8, "equivalent"),
        (0.06, 8, None),
        (0.02, 14, "slower"),
    ],
)
def test_clear_changes_have_the_expected_verdict(change: float, blocks: int, verdict: str | None) -> None:
    spread = np.linspace(-0.004, 0.004, blocks)
    assert decide_metric(list(change + spread), 20, RULE).verdict == verdict


def test_undecided_metric_is_inconclusive_at_the_last_look() -> None:
    source = np.random.default_rng(5)
    found = decide_metric(list(source.normal(0.04, 0.33, 64)), 20, RULE)
    assert found.verdict == "inconclusive"
    assert found.blocks == 64
    assert found.ratio.low is not None
    assert found.ratio.low < found.ratio.estimate


def test_faster_is_the_mirror_image_of_slower() -> None:
    source = np.random.default_rng(6)
    opposite = {"faster": "slower", "slower": "faster"}
    for shift in np.linspace(-0.2, 0.2, 60):
        sample = list(source.normal(shift, 0.05, 20))
        one, other = decide_metric(sample, 20, RULE), decide_metric([-value for value in sample], 20, RULE)
        assert other.verdict == opposite.get(str(one.verdict), one.verdict)
        assert other.ratio.estimate == pytest.approx(1 / one.ratio.estimate)


def run_to_verdict(source: np.random.Generator, change: float, metrics: int) -> str:
    """Take blocks until the rule ends: drift that both sides share, heavy tails, a first side 3 % slower."""
    first_is_slower = np.where(source.random(64) < 0.5, 0.03, -0.03)
    differences = change + first_is_slower + 0.02 * source.standard_t(3, 64)
    for blocks in RULE.looks:
        verdict = decide_metric(list(differences[:blocks]), metrics, RULE).verdict
        if verdict is not None:
            return verdict
    raise AssertionError("the last look always ends")


def test_identical_variants_raise_no_alarm() -> None:
    """One family of twenty in a hundred may; that is one metric in two thousand: at most four of 1,500."""
    source = np.random.default_rng(7)
    verdicts = [run_to_verdict(source, 0.0, 20) for _ in range(1500)]
    assert sum(verdict in {"slower", "faster"} for verdict in verdicts) <= 4


def test_change_of_ten_percent_is_found() -> None:
    """In at least 97 of 100, though the variant that goes first is 3 % slower in every block."""
    source = np.random.default_rng(8)
    verdicts = [run_to_verdict(source, math.log(1.1), 20) for _ in range(200)]
    assert sum(verdict == "slower" for verdict in verdicts) >= 194
    assert "equivalent" not in verdicts
