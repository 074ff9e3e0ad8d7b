"""Check paired ratios, verdicts on pairs, and Holm's correction."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats.pairwise import blocks_needed, compare_cases, compare_with, holm, judge_pairs

DRIFT = [1.0, 1.3, 0.9, 1.1, 1.2, 0.8, 1.05, 0.95, 1.15, 1.0]


def sample(factor: float, blocks: int = 10, jitter: float = 0.0) -> dict[int, float]:
    """Build block values that share the machine's drift, with a jitter of alternating sign."""
    return {
        block: factor * (1 + jitter * (-1) ** block) * (1 + block / 1000) * DRIFT[block]
        for block in range(blocks)
    }


def test_verdict_is_on_the_case_against_the_reference() -> None:
    found = compare_with(
        sample(1.0), {"quick": sample(0.5), "slow": sample(4.0), "like": sample(1.0, jitter=0.1)}
    )
    assert {name: each.verdict for name, each in found.items()} == {
        "quick": "faster",
        "slow": "slower",
        "like": "inconclusive",
    }
    assert found["quick"].ratio.estimate == pytest.approx(2.0)
    assert found["slow"].ratio.estimate == pytest.approx(0.25)


def test_small_difference_among_many_pairs_is_inconclusive() -> None:
    """Nine of ten blocks agree and the tenth hardly differs: p is .0039 alone, and .078 among twenty."""
    lead = [0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.11, 0.12, 0.13, -0.055]
    narrow = {block: 1.0 + lead[block] for block in range(10)}
    level = dict.fromkeys(range(10), 1.0)
    assert compare_with(narrow, {"a": level})["a"].verdict == "faster"
    among = compare_with(narrow, {"a": level, **{f"{n}": sample(1.0, jitter=0.2) for n in range(19)}})
    assert among["a"].ratio.low is not None
    assert among["a"].ratio.low > 1
    assert among["a"].verdict == "inconclusive"


def test_pair_with_too_few_blocks_is_not_testable() -> None:
    """Two pairs take seven blocks; a case with six is not testable however different it is."""
    found = compare_with(sample(1.0), {"short": sample(9.0, blocks=6), "long": sample(9.0)})
    assert not found["short"].is_testable
    assert found["short"].verdict == "inconclusive"
    assert found["long"].is_testable
    assert found["long"].verdict == "slower"
    assert found["short"].blocks == 6


def test_clear_pair_makes_the_next_verdict_easier() -> None:
    """Holm steps down: the same pair is inconclusive beside an equal pair, and faster beside a clear one."""
    narrow = compare_cases(
        [1.0] * 10, [math.exp(-0.06 if rank == 6 else rank / 100) for rank in range(1, 11)]
    )
    assert 0.025 < narrow.p <= 0.05
    clear = compare_cases([1.0] * 10, [2.0 + block / 100 for block in range(10)])
    level = compare_cases([1.0] * 10, [math.exp((block + 1) * (-1) ** block / 100) for block in range(10)])
    assert judge_pairs({"narrow": narrow, "other": clear})["narrow"].verdict == "faster"
    assert judge_pairs({"narrow": narrow, "other": level})["narrow"].verdict == "inconclusive"


def test_case_that_shares_no_block_is_left_out() -> None:
    assert compare_with({0: 1.0}, {"other": {1: 1.0}}) == {}


@pytest.mark.parametrize(
    ("comparisons", "blocks"), [(0, 6), (1, 6), (2, 7), (7, 9), (8, 9), (15, 10), (120, 13)]
)
def test_blocks_needed_grow_with_the_number_of_pairs(comparisons: int, blocks: int) -> None:
    """The smallest two-sided p there is, times the number of pairs, is at most 5 %."""
    assert blocks_needed(comparisons) == blocks
    unanimous = compare_cases([1.0] * blocks, [2.0 + block / 100 for block in range(blocks)])
    family = dict.fromkeys(range(max(1, comparisons)), unanimous)
    assert {each.verdict for each in judge_pairs(family).values()} == {"faster"}
    shorter = compare_cases([1.0] * (blocks - 1), [2.0 + block / 100 for block in range(blocks - 1)])
    assert shorter.p * max(1, comparisons) > 0.05


@given(
    st.lists(st.lists(st.floats(0.1, 10.0), min_size=8, max_size=8), min_size=1, max_size=5),
    st.lists(st.floats(0.1, 10.0), min_size=8, max_size=8),
)
def test_swapping_the_cases_swaps_the_verdicts(others: list[list[float]], reference: list[float]) -> None:
    opposite = {"faster": "slower", "slower": "faster"}
    one = judge_pairs({number: compare_cases(each, reference) for number, each in enumerate(others)})
    other = judge_pairs({number: compare_cases(reference, each) for number, each in enumerate(others)})
    for number, judgement in one.items():
        mirrored = other[number]
        assert mirrored.verdict == opposite.get(judgement.verdict, judgement.verdict)
        assert mirrored.p == pytest.approx(judgement.p)
        assert mirrored.ratio.estimate == pytest.approx(1 / judgement.ratio.estimate)


def test_equal_cases_are_told_from_the_reference_in_one_table_of_twenty_at_most() -> None:
    """1,000 tables of six equal cases under shared drift: the binomial limit of 5 % at 99.9 % is 7.3 %."""
    source = random.Random(11)
    alarms = 0
    for _ in range(1000):
        drift = [source.lognormvariate(0, 0.3) for _ in range(12)]
        cases = [
            {block: level * source.lognormvariate(0, 0.05) for block, level in enumerate(drift)}
            for _ in range(6)
        ]
        found = compare_with(cases[0], {str(number): each for number, each in enumerate(cases[1:])})
        alarms += any(each.verdict in {"faster", "slower"} for each in found.values())
    assert 5 <= alarms <= 73


def test_ratio_is_second_divided_by_first() -> None:
    first = [1.0, 1.1, 0.9, 1.2, 1.0, 1.05, 0.95]
    noise = [1.01, 0.99, 1.02, 0.98, 1.0, 1.015, 0.985]
    comparison = compare_cases(first, [2 * a * b for a, b in zip(first, noise, strict=True)])
    assert comparison.ratio.estimate == pytest.approx(2, rel=0.02)
    assert comparison.p == pytest.approx(2 / 2**7)
    assert comparison.blocks == 7


def test_equal_cases_differ_no_more_often_than_promised() -> None:
    """1,000 pairs of identical cases under shared drift: at most 5 %, and some."""
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


def test_difference_below_the_margin_is_equivalent_though_it_can_be_told_apart() -> None:
    """904 against 912 ms in every block, as threads against asyncio in one run."""
    quick = [0.904 * level for level in DRIFT]
    slow = [0.912 * level * (1 + block / 10_000) for block, level in enumerate(DRIFT)]
    pair = compare_cases(quick, slow, 0.03)
    assert pair.p <= 0.05
    assert judge_pairs({"pair": pair})["pair"].verdict == "equivalent"
    assert judge_pairs({"pair": compare_cases(quick, slow)})["pair"].verdict == "faster"
    assert judge_pairs({"pair": compare_cases(quick, slow, 0.005)})["pair"].verdict == "faster"


def test_cases_at_the_margin_are_called_equivalent_in_one_table_of_twenty_at_most() -> None:
    """1,000 tables of five cases slower by the margin: the binomial limit of 5 % at 99.9 % is 7.3 %."""
    source = random.Random(13)
    wrong = 0
    for _ in range(1000):
        drift = [source.lognormvariate(0, 0.3) for _ in range(12)]
        cases = [
            {block: factor * level * source.lognormvariate(0, 0.005) for block, level in enumerate(drift)}
            for factor in (1.0, *[1.03] * 5)
        ]
        found = compare_with(cases[0], {str(number): each for number, each in enumerate(cases[1:])}, 0.03)
        wrong += any(each.verdict == "equivalent" for each in found.values())
    assert 5 <= wrong <= 73


def test_equal_cases_with_little_noise_are_mostly_equivalent() -> None:
    source = random.Random(17)
    drift = [source.lognormvariate(0, 0.3) for _ in range(12)]
    cases = [
        {block: level * source.lognormvariate(0, 0.005) for block, level in enumerate(drift)}
        for _ in range(6)
    ]
    found = compare_with(cases[0], {str(number): each for number, each in enumerate(cases[1:])}, 0.03)
    assert {each.verdict for each in found.values()} == {"equivalent"}


def test_pair_turned_round_has_the_opposite_verdict_and_the_inverse_ratio() -> None:
    found = compare_with(sample(1.0), {"slow": sample(2.0)})["slow"]
    turned = found.turn_round()
    assert (found.verdict, turned.verdict) == ("slower", "faster")
    assert turned.ratio.estimate == pytest.approx(1 / found.ratio.estimate)
    assert turned.ratio.low == pytest.approx(1 / (found.ratio.high or 0))
    assert turned.turn_round().verdict == found.verdict
