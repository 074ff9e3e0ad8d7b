"""What a machine does to a measurement: the same case against itself, block by block."""

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
"""Two names for the same case."""
LOOKS: Final = (8, 20, 64)
"""Numbers of blocks for which the smallest difference is worked out."""


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest slow-down, as a share, that so many blocks or fewer show in 95 % of experiments."""

    blocks: int
    slowdown: float


@dataclass(frozen=True, slots=True)
class CaseNoise:
    """A case against itself; differences and changes are shares, 0.01 is 1 %.

    Attributes:
        case: id of the case, without a variant.
        pairs: logarithm of second ÷ first, a block each, in the order in which they were run.
        median_s: median of all block values.
        floor: robust standard deviation of a pair.
        within: what 95 % of these pairs differ by at the most; of pairs to come, fewer will.
        drift: change of the level from the first block to the last.
        autocorrelation: of the level with that of the block before, or of the last one before in which
            both sides succeeded: blocks that failed are closed up, not counted.
        chance: what the autocorrelation of independent blocks stays below in 95 % of runs.
        spikes: share of block values that are far above all others.
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
    """What was found of a machine.

    Attributes:
        unmeasured: ids of the cases that had too few blocks without a failure.
    """

    cases: tuple[CaseNoise, ...]
    unmeasured: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a machine shows slow-downs of a threshold in the blocks that there are.

    Attributes:
        threshold: as a share.
        blocks: that there are.
        needed: blocks that it takes.
        shown: the smallest slow-down that the blocks there are show, as a share; ``None`` where they are
            too few to show any.
    """

    threshold: float
    blocks: int
    needed: int
    shown: float | None

    @property
    def is_held(self) -> bool:
        """Say whether the blocks are enough."""
        return self.needed <= self.blocks


def pair_with_itself(cases: Iterable[Case]) -> tuple[Case, ...]:
    """Return each case twice, the same but for its name: a block runs both, in an order of its own."""
    return tuple(replace(case, variant=variant) for case in cases for variant in VARIANTS)


def measure_noise(run: Run) -> Noise:
    """Work out the noise of every case of which a run has both variants."""
    samples = {
        case: block_sample([trial for trial in run.trials if trial.case == case.id]) for case in run.cases
    }
    plain = dict.fromkeys(replace(case, variant="") for case in run.cases)
    sides = {case.id: [samples[replace(case, variant=variant)] for variant in VARIANTS] for case in plain}
    measured = {
        case_id: (first, second)
        for case_id, (first, second) in sides.items()
        if len(first.keys() & second.keys()) >= least_blocks()
    }
    return Noise(
        cases=tuple(case_noise(case_id, first, second) for case_id, (first, second) in measured.items()),
        unmeasured=tuple(case_id for case_id in sides if case_id not in measured),
    )


def case_noise(case_id: str, first: Sample, second: Sample) -> CaseNoise:
    """Work out the noise of a case from both of its variants' block values, in seconds.

    Level, drift and spikes are those of the logarithms, so that they are changes by a factor. The
    level of a block is the mean of both sides: it shows what they share, as the pair shows what
    they do not.
    """
    blocks = sorted(first.keys() & second.keys())
    sides = [(math.log(first[block]), math.log(second[block])) for block in blocks]
    pairs = tuple(b - a for a, b in sides)
    levels = [fmean(side) for side in sides]
    values = [value for side in sides for value in side]
    return CaseNoise(
        case=case_id,
        pairs=pairs,
        median_s=math.exp(median(values)),
        floor=math.expm1(robust_sigma(pairs)),
        within=math.expm1(quantile_interval([abs(pair) for pair in pairs], 0.95).estimate),
        drift=_over_the_run(blocks, levels),
        autocorrelation=autocorrelation(levels),
        chance=chance_bound(len(levels)),
        spikes=spike_share(values),
        detectable=tuple(Detectable(look, math.expm1(smallest_difference(pairs, look))) for look in LOOKS),
    )


def gate_for(noise: Noise, threshold: float, blocks: int) -> Gate:
    """Work out what a gate of this threshold takes, and what its blocks show, for the noisiest case.

    Raises:
        ValueError: there is no case, or the threshold is not above zero.
    """
    needed = max(blocks_to_show(case.pairs, math.log1p(threshold)) for case in noise.cases)
    if blocks < least_blocks():
        return Gate(threshold, blocks, needed, None)
    shown = max(smallest_difference(case.pairs, blocks) for case in noise.cases)
    return Gate(threshold, blocks, needed, math.expm1(shown))


def _over_the_run(blocks: Sequence[int], levels: Sequence[float]) -> Interval:
    """Return the change from the first to the last block that a steady slope would have made."""
    per_block = theil_sen_slope(blocks, levels)
    span = blocks[-1] - blocks[0]
    low = None if per_block.low is None else math.expm1(per_block.low * span)
    high = None if per_block.high is None else math.expm1(per_block.high * span)
    return Interval(math.expm1(per_block.estimate * span), low, high)
