"""Measure the noise of a machine by comparing cases with themselves, block by block. Used by `noise`.

Spread, drift, autocorrelation and spikes are those of `series`; `detectable_effect` turns the pairs into the
smallest slow-down that a number of blocks can show.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import Final

from bench.model.cases import Case
from bench.model.results import Run
from bench.stats.case_summary import block_sample
from bench.stats.detectable_effect import blocks_to_show, least_blocks, smallest_difference
from bench.stats.intervals import Interval, quantile_interval
from bench.stats.pairwise import Sample
from bench.stats.series import autocorrelation, chance_bound, robust_sigma, spike_share, theil_sen_slope

VARIANTS: Final = ("a", "b")
"""The names of the two variants of each case; both are the same."""
LOOKS: Final = (8, 20, 64)
"""Numbers of blocks for which the smallest detectable slow-down is computed."""


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest slow-down, as a share, that at most so many blocks show in 95 % of experiments."""

    blocks: int
    slowdown: float


@dataclass(frozen=True, slots=True)
class CaseNoise:
    """The noise of one case; differences and changes are shares, 0.01 is 1 %.

    Attributes:
        case: id without a variant.
        pairs: logarithm of second ÷ first, one per block, in the order in which they were run.
        median_s: median of all block values.
        floor: robust standard deviation of a pair.
        within: greatest difference of 95 % of these pairs; fewer of the pairs to come will keep to it.
        drift: change of the level from the first block to the last.
        autocorrelation: correlation of the level with that of the last block before in which both variants
            succeeded; failed blocks leave no gap.
        chance: bound that the autocorrelation of independent blocks keeps to in 95 % of runs.
        spikes: share of block values far above all others.
        detectable: for each of ``LOOKS``.
    """

    case: str
    pairs: tuple[float, ...]
    median_s: float
    floor: float
    within: float
    drift: Interval
    autocorrelation: float
    chance: float
    spikes: float
    detectable: tuple[Detectable, ...]


@dataclass(frozen=True, slots=True)
class Noise:
    """The noise of a machine.

    Attributes:
        cases: those with enough blocks.
        unmeasured: ids of the cases with too few blocks in which both variants succeeded.
    """

    cases: tuple[CaseNoise, ...]
    unmeasured: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """A slow-down, and the number of blocks with which a machine can show it.

    Attributes:
        threshold: as a share.
        blocks: number of blocks given.
        needed: number of blocks needed.
        shown: the smallest slow-down that the given blocks show, as a share; ``None`` if they are too few
            to show any.
    """

    threshold: float
    blocks: int
    needed: int
    shown: float | None

    @property
    def is_held(self) -> bool:
        """Say whether the given blocks are enough."""
        return self.needed <= self.blocks


def pair_with_itself(cases: Iterable[Case]) -> tuple[Case, ...]:
    """Return two variants of each case that differ in name only; every block runs both."""
    return tuple(replace(case, variant=variant) for case in cases for variant in VARIANTS)


def measure_noise(run: Run) -> Noise:
    """Measure the noise of every case with enough successful pairs of trials."""
    samples = {
        case: block_sample([trial for trial in run.trials if trial.case == case.id]) for case in run.cases
    }
    plain = dict.fromkeys(replace(case, variant="") for case in run.cases)
    pairs = {case.id: [samples[replace(case, variant=variant)] for variant in VARIANTS] for case in plain}
    measured = {
        case_id: (first, second)
        for case_id, (first, second) in pairs.items()
        if len(first.keys() & second.keys()) >= least_blocks()
    }
    return Noise(
        cases=tuple(case_noise(case_id, first, second) for case_id, (first, second) in measured.items()),
        unmeasured=tuple(case_id for case_id in pairs if case_id not in measured),
    )


def case_noise(case_id: str, first: Sample, second: Sample) -> CaseNoise:
    """Measure the noise of a case from the block values of both of its variants, in seconds.

    Level, drift and spikes are those of the logarithms, so that they are changes by a factor. The level of a
    block is the mean of both variants: it shows their common changes, as the pair shows their differences.
    """
    blocks = sorted(first.keys() & second.keys())
    logs = [(math.log(first[block]), math.log(second[block])) for block in blocks]
    pairs = tuple(b - a for a, b in logs)
    levels = [fmean(both) for both in logs]
    values = [value for both in logs for value in both]
    return CaseNoise(
        case=case_id,
        pairs=pairs,
        median_s=math.exp(median(values)),
        floor=math.expm1(robust_sigma(pairs)),
        within=math.expm1(quantile_interval([abs(pair) for pair in pairs], 0.95).estimate),
        drift=_drift(blocks, levels),
        autocorrelation=autocorrelation(levels),
        chance=chance_bound(len(levels)),
        spikes=spike_share(values),
        detectable=tuple(Detectable(look, math.expm1(smallest_difference(pairs, look))) for look in LOOKS),
    )


def gate_for(noise: Noise, threshold: float, blocks: int) -> Gate:
    """Compare the blocks that a gate needs for the noisiest case with the given ones.

    Raises:
        ValueError: there is no case, or the threshold is not above zero.
    """
    needed = max(blocks_to_show(case.pairs, math.log1p(threshold)) for case in noise.cases)
    if blocks < least_blocks():
        return Gate(threshold, blocks, needed, None)
    shown = max(smallest_difference(case.pairs, blocks) for case in noise.cases)
    return Gate(threshold, blocks, needed, math.expm1(shown))


def _drift(blocks: Sequence[int], levels: Sequence[float]) -> Interval:
    """Return the change from the first to the last block by a steady slope, as a share."""
    span = blocks[-1] - blocks[0]
    return theil_sen_slope(blocks, levels).transform(lambda per_block: math.expm1(per_block * span))
