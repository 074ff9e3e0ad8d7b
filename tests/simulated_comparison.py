"""Simulated comparisons: the log-ratios of two variants on machines of several kinds, and the verdicts.

Everything is in logarithms, so that 0.01 is about 1 %. A block of a metric has five rounds of each variant,
alternating (``bench.stats.block_order``), and the figure of a variant is the mean of its faster half, as in
``bench.stats.metrics``. The verdicts are those of ``bench.stats.sequential_test`` itself.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from bench.stats.schedule import alternation
from bench.stats.sequential_test import SequentialRule, decide_metric, early_look, rule_with_look

RULE: Final = SequentialRule()
METRICS: Final = 20
"""Number of metrics of a comparison, each of a case of its own."""
ROUNDS: Final = 5
"""Rounds of each variant in each block."""

Values: TypeAlias = npt.NDArray[np.float64]

_SLOTS: Final = 2 * ROUNDS
_RESEMBLANCE: Final = 0.4
"""Correlation of a round with the one before it in its process (the coefficient of an AR(1) process)."""
_LEVEL: Final = 0.6
"""Standard deviation of a process's own level, as a share of the machine's noise."""
_ROUND: Final = 0.65
"""The same of a round within its process."""
_DRIFT: Final = 0.25
"""The same of a step of the drift, from one round to the next."""
_BETWEEN_BLOCKS: Final = 0.03
"""Standard deviation of the part that both variants of a block share."""
_SPIKE: Final = 0.3
"""Mean addition of a spike to a round."""
_BURST: Final = 0.15
"""Mean addition of a burst to each of its rounds."""
_BURST_SLOTS: Final = 4
"""Number of rounds of a burst, those of both variants together."""
_BATCH: Final = 2000


@dataclass(frozen=True, slots=True)
class Machine:
    """The disturbances of a machine.

    Attributes:
        noise: scale of the part that the variants of a block do not share: about that of their log-ratio.
        spikes: chance of a round to be a spike.
        bursts: chance of a block to have a burst.
    """

    name: str
    noise: float
    spikes: float
    bursts: float


QUIET: Final = Machine("quiet", 0.004, 0.01, 0.02)
TYPICAL: Final = Machine("typical", 0.007, 0.02, 0.05)
SHARED: Final = Machine("shared", 0.015, 0.05, 0.10)
NOISY: Final = Machine("noisy", 0.03, 0.10, 0.20)
WILD: Final = Machine("wild", 0.10, 0.10, 0.20)
"""Too noisy for a comparison: nothing is decided early, so that every look has its chance to err."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The true difference of two difference.

    Attributes:
        change: change of the second against the first: 0.05 is 5 % slower.
        penalty: share by which the variant that starts first in a block is slower.
        is_drawn: whether a coin decides which variant starts first in each block; else it is the second.
    """

    change: float = 0.0
    penalty: float = 0.0
    is_drawn: bool = True


def log_ratios(
    source: np.random.Generator,
    machine: Machine,
    difference: Difference,
    metrics: int,
    blocks: int = RULE.looks[-1],
) -> Values:
    """Draw the log-ratios of metrics, second ÷ first: a row per metric, a column per block."""
    shape = (metrics, blocks)
    second_first = source.random(shape) < 0.5 if difference.is_drawn else np.ones(shape, dtype=bool)
    shared = _shared(source, machine, shape)
    places = np.array(alternation(ROUNDS))
    early = low_half(shared[..., places == 0] + _process(source, machine, shape)) + math.log1p(
        difference.penalty
    )
    late = low_half(shared[..., places == 1] + _process(source, machine, shape))
    ratios: Values = np.where(second_first, early - late, late - early) + math.log1p(difference.change)
    return ratios


def verdicts(
    source: np.random.Generator, machine: Machine, difference: Difference, comparisons: int, metrics: int
) -> Iterator[tuple[tuple[str, int], ...]]:
    """Simulate comparisons; yield the verdicts of each, with the number of blocks they took."""
    left = comparisons * metrics
    batch = _BATCH - _BATCH % metrics
    while left > 0:
        rows = log_ratios(source, machine, difference, min(left, batch)).tolist()
        left -= len(rows)
        found = [_verdict(row, metrics) for row in rows]
        for start in range(0, len(found), metrics):
            yield tuple(found[start : start + metrics])


@dataclass(frozen=True, slots=True)
class Shares:
    """The results of many comparisons.

    Attributes:
        alarmed: number of comparisons in which any metric was called slower or faster.
        slowed: number of comparisons in which any metric was called slower.
        verdicts: number of metrics by verdict.
        blocks: mean number of blocks of a metric.
        metrics: number of metrics of each comparison.
    """

    comparisons: int
    alarmed: int
    slowed: int
    verdicts: Mapping[str, int]
    blocks: float
    metrics: int = METRICS

    def share(self, verdict: str) -> float:
        """Return the share of metrics with a verdict."""
        return self.verdicts.get(verdict, 0) / (self.comparisons * self.metrics)


def shares(
    machine: Machine, difference: Difference, comparisons: int, seed: int, metrics: int = METRICS
) -> Shares:
    """Simulate comparisons and count their verdicts."""
    counted: Counter[str] = Counter()
    alarmed = slowed = blocks = 0
    for found in verdicts(np.random.default_rng(seed), machine, difference, comparisons, metrics):
        names = {verdict for verdict, _ in found}
        alarmed += not names.isdisjoint({"slower", "faster"})
        slowed += "slower" in names
        counted.update(verdict for verdict, _ in found)
        blocks += sum(taken for _, taken in found)
    return Shares(comparisons, alarmed, slowed, counted, blocks / (comparisons * metrics), metrics)


def _verdict(differences: list[float], metrics: int) -> tuple[str, int]:
    rule = rule_with_look(early_look(metrics))
    for blocks in rule.looks:
        verdict = decide_metric(differences[:blocks], metrics, rule).verdict
        if verdict is not None:
            return verdict, blocks
    raise AssertionError("the last look always ends")


def _shared(source: np.random.Generator, machine: Machine, shape: tuple[int, int]) -> Values:
    """Draw the part that both variants share: a level of the block, drift from round to round, and bursts."""
    steps = source.normal(0.0, _DRIFT * machine.noise, (*shape, _SLOTS))
    level = source.normal(0.0, _BETWEEN_BLOCKS, (*shape, 1))
    begins = source.integers(0, _SLOTS, (*shape, 1))
    since = np.arange(_SLOTS) - begins
    in_burst = (source.random((*shape, 1)) < machine.bursts) & (since >= 0) & (since < _BURST_SLOTS)
    shared: Values = level + steps.cumsum(axis=-1)
    return shared + in_burst * source.exponential(_BURST, (*shape, _SLOTS))


def _process(source: np.random.Generator, machine: Machine, shape: tuple[int, int]) -> Values:
    """Draw the part of one process: its own level, skewed and correlated rounds, and spikes."""
    level = source.normal(0.0, _LEVEL * machine.noise, (*shape, 1))
    new = (source.exponential(1.0, (*shape, ROUNDS)) - 1.0) * math.sqrt(1 - _RESEMBLANCE**2)
    rounds: Values = np.empty_like(new)
    rounds[..., 0] = source.exponential(1.0, shape) - 1.0
    for place in range(1, ROUNDS):
        rounds[..., place] = _RESEMBLANCE * rounds[..., place - 1] + new[..., place]
    is_spike = source.random((*shape, ROUNDS)) < machine.spikes
    spikes = is_spike * source.exponential(_SPIKE, (*shape, ROUNDS))
    return level + _ROUND * machine.noise * rounds + spikes


def low_half(rounds: Values) -> Values:
    """Reduce the rounds of each process to the mean of their faster half."""
    fast: Values = np.sort(rounds, axis=-1)[..., : math.ceil(rounds.shape[-1] / 2)]
    low: Values = fast.mean(axis=-1)
    return low
