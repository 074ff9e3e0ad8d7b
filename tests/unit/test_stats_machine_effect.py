"""Machines that agree about the ratios between cases raise no alarm, whatever their speeds; others do."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from scipy.stats import permutation_test, ttest_ind

from bench.report.machines import machine_line, machine_table
from bench.report.number_format import TimeUnit
from bench.stats.machine_effect import MachineEffect, compare_machines, machine_effect
from bench.stats.ranking import rankings
from bench.stats.separate_means import p_value
from tests.builders import case, run_of, trials

CASES = ("slow", "medium", "fast", "faster")
BASE_S = {"slow": 0.4, "medium": 0.2, "fast": 0.1, "faster": 0.05}


def simulate(
    rng: random.Random,
    speeds: Mapping[str, float],
    blocks: int,
    noise: Mapping[str, float] | None = None,
    deviation: Mapping[tuple[str, str], float] | None = None,
) -> MachineEffect:
    """Compare machines whose blocks have a luck of their own, beside that of each trial.

    Args:
        rng: the source of both.
        speeds: by machine, the factor of all its times.
        blocks: those of each machine.
        noise: by machine, the spread of a trial; 5 % where there is none.
        deviation: by case and machine, the factor of its times there.
    """
    labels = [label for _ in range(blocks) for label in speeds]
    samples: dict[str, dict[int, float]] = {name: {} for name in CASES}
    for block, label in enumerate(labels):
        luck = rng.lognormvariate(0, 0.2)
        for name in CASES:
            factor = (deviation or {}).get((name, label), 1.0) * speeds[label] * luck
            samples[name][block] = (
                BASE_S[name] * factor * rng.lognormvariate(0, (noise or {}).get(label, 0.05))
            )
    return compare_machines(samples, dict(enumerate(labels)))


def false_alarms(speeds: Mapping[str, float], noise: Mapping[str, float] | None = None) -> float:
    """Return the share of 400 runs in which machines that agree are said to disagree."""
    rng = random.Random(1)
    return sum(bool(simulate(rng, speeds, 6, noise).disagreements) for _ in range(400)) / 400


@pytest.mark.long
@pytest.mark.parametrize("speeds", [{"M1": 1.0, "M2": 3.0}, {"M1": 1.0, "M2": 2.0, "M3": 0.5}])
def test_machines_of_different_speeds_that_agree_raise_no_more_false_alarms_than_stated(
    speeds: Mapping[str, float],
) -> None:
    """At most 5 in 100; 20 + 2.33 standard errors of 400 runs are 30."""
    assert false_alarms(speeds) <= 30 / 400


@pytest.mark.long
def test_a_machine_with_more_noise_is_no_disagreement() -> None:
    assert false_alarms({"M1": 1.0, "M2": 1.0}, {"M1": 0.02, "M2": 0.1}) <= 30 / 400


def test_a_case_that_is_slower_on_one_machine_is_found_with_its_size() -> None:
    """Seven blocks of each have few enough permutations to count them all, which is quicker than to draw."""
    rng = random.Random(2)
    found = [
        simulate(rng, {"M1": 1.0, "M2": 2.0}, 7, deviation={("fast", "M2"): 1.3}).disagreements[0]
        for _ in range(20)
    ]
    assert {each.case for each in found} == {"fast"}
    # the geometric mean of four cases moves by a quarter of it
    sizes = [math.log(each.ratio.estimate) for each in found]
    assert sum(sizes) / 20 == pytest.approx(-0.75 * math.log(1.3), rel=0.1)
    assert {each.machine for each in found} == {"M1"}
    assert all(each.p <= 0.05 for each in found)


def test_the_odd_one_of_three_machines_is_named() -> None:
    effect = simulate(
        random.Random(3), dict.fromkeys(("M1", "M2", "M3"), 1.0), 10, deviation={("slow", "M3"): 1.5}
    )
    assert (effect.disagreements[0].case, effect.disagreements[0].machine) == ("slow", "M3")
    assert effect.blocks == {"M1": 10, "M2": 10, "M3": 10}


def test_too_few_blocks_cannot_tell() -> None:
    """With 4 cases, 2 / C(8, 4) × 4 is above 5 %, and 2 / C(10, 5) × 4 is below."""
    few = simulate(random.Random(4), {"M1": 1.0, "M2": 1.0}, 4, deviation={("slow", "M2"): 9.0})
    assert (few.blocks_needed, few.disagreements) == (5, ())
    enough = simulate(random.Random(4), {"M1": 1.0, "M2": 1.0}, 5, deviation={("slow", "M2"): 9.0})
    assert enough.blocks_needed == 0
    assert enough.disagreements


def test_only_blocks_in_which_all_cases_succeeded_are_compared() -> None:
    labels = {block: "M1" if block % 2 else "M2" for block in range(12)}
    samples = {name: {block: 0.1 + block / 1000 for block in range(12)} for name in CASES}
    del samples["fast"][0]
    assert compare_machines(samples, labels).blocks == {"M1": 6, "M2": 5}


@pytest.mark.parametrize(("few", "many"), [(3, 28), (4, 20), (2, 60)])
def test_few_values_against_many_make_no_false_alarms(few: int, many: int) -> None:
    """Welch's p-value alone is below 0.001 in 14, 4.5 and 40 of a thousand such pairs of equal samples."""
    rng = random.Random(7)
    pairs = [[[rng.gauss(0, 1) for _ in range(n)] for n in (few, many)] for _ in range(600)]
    welch = ttest_ind(*zip(*pairs, strict=True), axis=1, equal_var=False).pvalue
    # ours is never below it, so that permutations are drawn for these alone
    low = [pair for pair, p in zip(pairs, welch, strict=True) if p <= 0.001]
    alarms = sum(p_value(first, second) <= 0.001 for first, second in low)
    assert alarms <= 4  # 0.6 are expected, and 5 or more come once in 2,500


def test_blocks_needed_by_very_many_cases_are_found() -> None:
    """Three machines and 400 cases are 1,200 tests: the least p-value has to be small enough for all."""
    names = [f"case {number}" for number in range(400)]
    labels = {block: f"M{block + 1}" for block in range(3)}
    few = compare_machines({name: dict.fromkeys(labels, 0.1) for name in names}, labels)
    assert 2 < few.blocks_needed < 10
    labels = {block: f"M{block % 3 + 1}" for block in range(3 * few.blocks_needed)}
    enough = compare_machines({name: dict.fromkeys(labels, 0.1) for name in names}, labels)
    assert (enough.blocks_needed, enough.untested, enough.disagreements) == (0, (), ())


def test_machine_with_too_few_blocks_is_named_and_not_said_to_agree() -> None:
    """It would have been said to, though a case takes ten times as long there."""
    labels = {block: "M1" if block < 8 else "M2" if block < 16 else "M3" for block in range(17)}
    samples = {name: {block: 0.1 + block / 1000 for block in range(17)} for name in CASES}
    samples["fast"][16] *= 10
    effect = compare_machines(samples, labels)
    assert (effect.untested, effect.blocks_needed) == (("M3",), 0)
    assert {each.machine for each in effect.disagreements} <= {"M1", "M2"}


@pytest.mark.parametrize("sizes", [(4, 5), (5, 5), (2, 9)])
def test_p_values_are_those_of_scipy(sizes: Sequence[int]) -> None:
    """The greater one of all permutations and of Welch's test."""
    rng = random.Random(5)
    for _ in range(3):
        first, second = (
            [rng.gauss(0, spread) for _ in range(n)] for n, spread in zip(sizes, (1, 3), strict=True)
        )
        expected = ttest_ind(first, second, equal_var=False).pvalue
        if math.comb(sum(sizes), sizes[0]) <= 4_000:
            permuted = permutation_test(
                (first, second),
                lambda x, y, axis: abs(ttest_ind(x, y, axis=axis, equal_var=False).statistic),
                n_resamples=math.inf,
                alternative="greater",
            )
            expected = max(expected, permuted.pvalue)
        assert p_value(first, second) == pytest.approx(expected)


def test_equal_values_make_no_difference_out_of_nothing() -> None:
    assert p_value([0.1] * 6, [0.1] * 6) == 1.0
    assert p_value([], [1.0]) == 1.0
    assert p_value([0.1] * 3 + [0.3], [0.1 + 0.2] * 3 + [0.1]) > 0.05


def run_on(machines: Sequence[str], factor: float = 1.0) -> tuple[str | None, list[tuple[str, ...]]]:
    """Return the line of a run of two cases, and the rows of its table; one case is slower on ``M2``."""
    first, second = case("threadpool_map"), case("sequential")
    rng = random.Random(6)
    measured = {
        each: [
            replace(trial, machine=label)
            for trial, label in zip(
                trials(
                    each,
                    [
                        0.1
                        * rng.lognormvariate(0, 0.01)
                        * (factor if label == "M2" and each == second else 1)
                        for label in machines
                    ],
                ),
                machines,
                strict=True,
            )
        ]
        for each in (first, second)
    }
    run = run_of(measured)
    (ranking,) = rankings(run)
    table = machine_table(run, ranking, TimeUnit.for_shortest(0.1))
    headings = [] if table is None else [tuple(column.heading for column in table.columns)]
    return machine_line(run, ranking), headings


def test_a_line_says_whether_machines_agree() -> None:
    line, headings = run_on(["M1", "M2"] * 5)
    found = "no disagreement of machines was found in the ratios between cases"
    assert line == f"{found}, in the blocks of M1 (5) and M2 (5)"
    assert headings == [("client", "workers", "M1 (5)", "M2 (5)")]
    line, _ = run_on(["M1", "M2"] * 5, 2.0)
    assert line is not None
    assert line.startswith("the machines disagree: relative to its block, ")
    line, _ = run_on(["M1", "M2", "M1"])
    assert line is not None
    assert line.startswith("whether the machines agree cannot be told from the blocks of M1 (2) and M2 (1)")


def test_nothing_is_said_about_a_single_machine() -> None:
    assert run_on(["M1"] * 6) == (None, [("client", "workers", "M1 (6)")])
    run = run_of({case(): trials(case(), [0.1] * 6)})
    assert machine_effect(run, rankings(run)[0]) is None
    assert machine_table(run, rankings(run)[0], TimeUnit.for_shortest(0.1)) is None
