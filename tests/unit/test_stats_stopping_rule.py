"""Check the looks of the stopping rule, its reasons, and the coverage after stopping."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.cases import Stopping
from bench.stats.intervals import median_interval
from bench.stats.run_state import StoppingRule, decide_stops, half_width, looks_between, stopping_rule

RULE = stopping_rule(64, Stopping(8, 0.03, None))
BUDGETED = stopping_rule(64, Stopping(8, 0.03, 60.0))
QUIET = [1.0 + block / 1000 for block in range(-4, 4)]
NOISY = [1.0 + block / 10 for block in range(-4, 4)]

samples = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(st.floats(0.5, 2.0), min_size=1, max_size=64), min_size=1
)
blocks_done = st.sampled_from([*range(1, 70)])


@pytest.mark.parametrize(
    ("least", "most", "looks"),
    [
        (8, 64, (8, 11, 16, 23, 32, 45, 64)),
        (6, 100, (6, 9, 12, 17, 24, 35, 49, 70, 100)),
        (6, 7, (6, 7)),
        (8, 8, (8,)),
        (1, 4, (1, 2, 3, 4)),
    ],
)
def test_looks_grow_by_about_the_same_factor(least: int, most: int, looks: tuple[int, ...]) -> None:
    assert looks_between(least, most) == looks


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_looks_start_and_end_with_the_bounds(one: int, other: int) -> None:
    least, most = sorted((one, other))
    looks = looks_between(least, most)
    assert (looks[0], looks[-1]) == (least, most)
    assert all(before < after <= max(before + 1, 1.7 * before) for before, after in pairwise(looks))


@pytest.mark.parametrize(
    ("values", "rule", "blocks", "spent_s", "reason"),
    [
        (QUIET, RULE, 8, 0.0, "precise"),
        (QUIET, RULE, 7, 0.0, None),
        (QUIET, RULE, 9, 0.0, None),
        (QUIET, RULE, 11, 0.0, "precise"),
        (QUIET, RULE, 64, 0.0, "precise"),
        (NOISY, RULE, 8, 0.0, None),
        (NOISY, RULE, 64, 0.0, "blocks"),
        (QUIET[:6], RULE, 8, 0.0, "precise"),
        (QUIET[:5], RULE, 8, 0.0, None),
        (QUIET[:5], RULE, 64, 0.0, "blocks"),
        ([], RULE, 8, 0.0, None),
        ([], RULE, 64, 0.0, "blocks"),
        (NOISY, BUDGETED, 7, 61.0, None),
        (NOISY, BUDGETED, 8, 61.0, "budget"),
        (NOISY, BUDGETED, 9, 60.0, "budget"),
        (NOISY, BUDGETED, 9, 59.9, None),
        (QUIET, BUDGETED, 8, 61.0, "precise"),
        (QUIET, BUDGETED, 9, 61.0, "budget"),
        (NOISY, BUDGETED, 64, 61.0, "blocks"),
        (QUIET, stopping_rule(10, None), 9, 999.0, None),
        (QUIET, stopping_rule(10, None), 10, 0.0, "blocks"),
    ],
)
def test_case_stops_for_one_reason(
    values: list[float], rule: StoppingRule, blocks: int, spent_s: float, reason: str | None
) -> None:
    """Precise at a look, out of budget after any block, out of blocks after the last."""
    stop = decide_stops({"a": values}, rule, blocks, spent_s).get("a")
    assert (stop.reason if stop else None) == reason


def test_stop_has_the_number_of_blocks_and_the_precision() -> None:
    (stop,) = decide_stops({"a": [90.0, *[100.0] * 6, 130.0]}, stopping_rule(8, None), 8, 0.0).values()
    assert (stop.reason, stop.blocks) == ("blocks", 8)
    assert stop.half_width == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("values", "width"), [([], None), ([1.0] * 5, None), ([0.0] * 6, None), ([1.0] * 6, 0.0)]
)
def test_half_width_takes_six_values_and_a_positive_median(values: list[float], width: float | None) -> None:
    assert half_width(values) == width


def test_least_blocks_above_the_most_give_one_look_at_the_end() -> None:
    assert stopping_rule(4, Stopping(8, None, 1.0)).looks == (4,)


@given(samples, blocks_done, st.floats(0, 120))
def test_decision_does_not_depend_on_other_cases_or_order(
    by_case: dict[str, list[float]], blocks: int, spent_s: float
) -> None:
    together = decide_stops(by_case, BUDGETED, blocks, spent_s)
    assert together == decide_stops(dict(reversed(by_case.items())), BUDGETED, blocks, spent_s)
    alone = {
        case: stop
        for case in by_case
        for stop in decide_stops({case: by_case[case]}, BUDGETED, blocks, spent_s).values()
    }
    assert together == alone


@given(samples, blocks_done, st.integers(-20, 20))
def test_decision_does_not_depend_on_the_unit(
    by_case: dict[str, list[float]], blocks: int, power: int
) -> None:
    """Scaling is by powers of two, so that no figure is rounded."""
    scaled = {case: [value * 2.0**power for value in values] for case, values in by_case.items()}
    assert decide_stops(scaled, RULE, blocks, 0.0) == decide_stops(by_case, RULE, blocks, 0.0)


def blocks_taken(values: list[float], rule: StoppingRule) -> int:
    """Return the number of blocks after which the case stops."""
    return next(
        blocks
        for blocks in rule.looks
        if decide_stops({"a": values[:blocks]}, rule, blocks, 0.0).keys() == {"a"}
    )


@given(st.lists(st.floats(0.5, 2.0), min_size=64, max_size=64), st.floats(0.0, 0.99))
def test_more_precise_data_never_take_more_blocks(values: list[float], shrunk: float) -> None:
    calmer = [1.0 + shrunk * (value - 1.0) for value in values]
    assert blocks_taken(calmer, RULE) <= blocks_taken(values, RULE)


@given(st.lists(st.floats(0.5, 2.0), min_size=64, max_size=64), st.floats(0.001, 0.5), st.floats(1.0, 3.0))
def test_wider_goal_never_takes_more_blocks(values: list[float], goal: float, wider: float) -> None:
    fine, coarse = (stopping_rule(64, Stopping(8, each, None)) for each in (goal, goal * wider))
    assert blocks_taken(values, coarse) <= blocks_taken(values, fine)


def covered(least: int, spread: float, draws: int) -> float:
    """Return the share of stops whose interval holds the true median.

    Block values are skewed, and one of twenty is a spike of twice its value.
    """
    source = np.random.default_rng(11)
    rule = stopping_rule(64, Stopping(least, 0.03, None))

    def sample(size: int) -> np.ndarray:
        values = np.exp(spread * source.standard_normal(size))
        return np.where(source.random(size) < 0.05, 2 * values, values)

    truth = float(np.median(sample(1_000_000)))
    held = 0
    for _ in range(draws):
        values = [float(value) for value in sample(64)]
        interval = median_interval(values[: blocks_taken(values, rule)])
        assert interval.low is not None
        assert interval.high is not None
        held += interval.low <= truth <= interval.high
    return held / draws


@pytest.mark.parametrize("spread", [0.02, 0.05, 0.08])
def test_interval_at_the_stop_still_covers(spread: float) -> None:
    """With the usual least blocks; two of the three spreads stop between the first look and the last."""
    assert covered(8, spread, 2000) >= 0.945
