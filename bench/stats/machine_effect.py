"""Tell whether the machines of a run agree about its cases, by the ratios between cases within blocks.

Each block was measured by one machine. A machine that is twice as slow makes all times of its blocks longer,
which says nothing about the cases; so each time is taken as a ratio to the geometric mean of its block. If
machines agree, these ratios come from one distribution, whoever measured the block.

Method: for each case and machine, the test of `separate_means` with the logarithms of these ratios in its
blocks and in those of all other machines, and Holm's correction over all cases and machines. With two
machines, both tests of a case are the same one. Assumption: blocks are independent; a machine may be noisier
than another. The logarithms of a block add up to 0, so one case that differs much moves the others a little.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import fmean
from typing import Final

from bench.model.results import Run
from bench.stats.case_summary import block_sample
from bench.stats.intervals import Interval
from bench.stats.pairwise import SIGNIFICANCE, Sample, holm
from bench.stats.rank_sum import ratio_interval
from bench.stats.ranking import Ranking
from bench.stats.separate_means import p_value, smallest_p

_FEWEST: Final = 2
"""Cases that a ratio takes, and machines that can disagree."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A case that takes another share of a block's time on a machine than on the others.

    Attributes:
        case: its id.
        machine: label of the machine.
        ratio: the case's share there ÷ its share on the others, with its own 95 % interval.
        p: two-sided, adjusted for the number of tests.
    """

    case: str
    machine: str
    ratio: Interval
    p: float


@dataclass(frozen=True, slots=True)
class MachineEffect:
    """What the blocks of a profile say about its machines.

    Attributes:
        blocks: by machine, the number of its blocks in which all compared cases succeeded.
        cases: number of compared cases.
        disagreements: the greatest first; empty: none was found.
        blocks_needed: blocks of each machine with which a disagreement could show; 0: some have enough.
        untested: machines with too few blocks for any disagreement to show, beside others with enough.
    """

    blocks: Mapping[str, int]
    cases: int
    disagreements: tuple[Disagreement, ...] = ()
    blocks_needed: int = 0
    untested: tuple[str, ...] = ()


def machines_of(run: Run) -> Mapping[int, str]:
    """Return the machine that measured each block, for runs on a cluster; empty for others."""
    return {trial.block: trial.machine for trial in run.trials if trial.machine}


def machine_effect(run: Run, ranking: Ranking) -> MachineEffect | None:
    """Compare the machines of a run for the cases of a profile; None for fewer than two of either."""
    machines = machines_of(run)
    ids = [row.case.id for row in ranking.rows if row.case.id not in _unranked(ranking)]
    if len({*machines.values()}) < _FEWEST or len(ids) < _FEWEST:
        return None
    trials = {case: [trial for trial in run.trials if trial.case == case] for case in ids}
    return compare_machines({case: block_sample(measured) for case, measured in trials.items()}, machines)


def _unranked(ranking: Ranking) -> frozenset[str]:
    """Return the cases that mostly failed or left early: the blocks of all cases would be few."""
    most = max((row.blocks for row in ranking.rows), default=0)
    return frozenset(row.case.id for row in ranking.rows if row.blocks < most / 2 or row.blocks == 0)


def compare_machines(samples: Mapping[str, Sample], machines: Mapping[int, str]) -> MachineEffect:
    """Compare machines by the ratios between cases.

    Args:
        samples: by case, the value of each block in which it succeeded; two cases at least.
        machines: the machine of each block.
    """
    shared = sorted(machines.keys() & frozenset.intersection(*map(frozenset, samples.values())))
    labels = dict.fromkeys(sorted({*machines.values()}, key=lambda label: (len(label), label)))
    blocks = {label: sum(machines[block] == label for block in shared) for label in labels}
    shares = _log_shares(samples, shared)
    one_of_two = [*labels][: 1 if len(labels) == _FEWEST else None]
    most = len(samples) * len(one_of_two)
    least = {label: smallest_p(blocks[label], len(shared) - blocks[label], most) for label in one_of_two}
    tested = [label for label in one_of_two if least[label] * most <= SIGNIFICANCE]
    if not tested:
        return MachineEffect(blocks, len(samples), blocks_needed=_blocks_needed(len(labels), most))
    untested = tuple(label for label in one_of_two if label not in tested)
    tests = [(case, label) for case in samples for label in tested]
    values = {test: _split(shares[test[0]], shared, machines, test[1]) for test in tests}
    adjusted = dict(zip(tests, holm([p_value(*values[test], len(tests)) for test in tests]), strict=True))
    found = [
        Disagreement(case, label, _ratio(*values[case, label]), adjusted[case, label])
        for case, label in tests
        if adjusted[case, label] <= SIGNIFICANCE
    ]
    found.sort(key=lambda each: -abs(math.log(each.ratio.estimate)))
    return MachineEffect(blocks, len(samples), tuple(found), untested=untested)


def _log_shares(samples: Mapping[str, Sample], blocks: Sequence[int]) -> Mapping[str, Mapping[int, float]]:
    """Return for each case and block the logarithm of its value ÷ the geometric mean of the block."""
    logs = {case: {block: math.log(sample[block]) for block in blocks} for case, sample in samples.items()}
    means = {block: fmean(each[block] for each in logs.values()) for block in blocks}
    return {case: {block: each[block] - means[block] for block in blocks} for case, each in logs.items()}


def _split(
    shares: Mapping[int, float], blocks: Sequence[int], machines: Mapping[int, str], label: str
) -> tuple[list[float], list[float]]:
    """Return the shares of a case on the other machines, and those on this one."""
    others = [shares[block] for block in blocks if machines[block] != label]
    return others, [shares[block] for block in blocks if machines[block] == label]


def _ratio(others: Sequence[float], here: Sequence[float]) -> Interval:
    return ratio_interval([math.exp(value) for value in others], [math.exp(value) for value in here])


def _blocks_needed(machines: int, tests: int) -> int:
    """Return with how many blocks of each machine the strongest disagreement would be found."""
    return next(
        blocks
        for blocks in count(2)
        if smallest_p(blocks, (machines - 1) * blocks, tests) * tests <= SIGNIFICANCE
    )
