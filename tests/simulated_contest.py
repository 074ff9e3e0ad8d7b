"""Contests without machines: what two sides would yield on computers of several kinds, and the verdicts.

Everything is in logarithms, so that 0.01 is about 1 %. A block of a metric has five rounds of each side, in
turns (``bench.stats.block_order``), and the figure of a side is the mean of its faster half, as in
``bench.stats.metrics``. The verdicts are those of ``bench.stats.sequential_test`` itself.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from bench.stats.block_order import alternation
from bench.stats.sequential_test import SequentialRule, decide_metric

RULE: Final = SequentialRule()
METRICS: Final = 20
"""Of a comparison, each of a case of its own."""
ROUNDS: Final = 5
"""Of each side in each block."""

Values: TypeAlias = npt.NDArray[np.float64]

_SLOTS: Final = 2 * ROUNDS
_RESEMBLANCE: Final = 0.4
"""Of a round to the one before it in the same process (the coefficient of an AR(1) process)."""
_LEVEL: Final = 0.6
"""Standard deviation of a process's own level, as a share of the machine's noise."""
_ROUND: Final = 0.65
"""The same of a round within its process."""
_DRIFT: Final = 0.25
"""The same of a step of the drift, from one round to the next."""
_BETWEEN_BLOCKS: Final = 0.03
"""Standard deviation of what both sides of a block share."""
_SPIKE: Final = 0.3
"""Mean of what a spike adds to a round."""
_BURST: Final = 0.15
"""Mean of what a burst adds to each of its rounds."""
_BURST_SLOTS: Final = 4
"""Rounds that a burst lasts, of both sides as they take turns."""
_BATCH: Final = 2000


@dataclass(frozen=True, slots=True)
class Machine:
    """How a computer disturbs what is measured on it.

    Attributes:
        noise: scale of all that both sides of a block do not share; that of their log-ratio is close to it.
        spikes: chance of a round to be one.
        bursts: chance of a block to have one.
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
"""Worse than what a contest is for: nothing is decided early, so that every look gets its chance to err."""


@dataclass(frozen=True, slots=True)
class Sides:
    """What is true of two sides.

    Attributes:
        change: of the second against the first: 0.05 is 5 % slower.
        penalty: what whichever goes first in a block is slower by.
        is_drawn: whether a coin decides who goes first in each block; else it is always the second.
    """

    change: float = 0.0
    penalty: float = 0.0
    is_drawn: bool = True


def log_ratios(source: np.random.Generator, machine: Machine, sides: Sides, metrics: int) -> Values:
    """Draw the log-ratios of so many metrics, second ÷ first; a row a metric, a column a block."""
    shape = (metrics, RULE.looks[-1])
    second_first = source.random(shape) < 0.5 if sides.is_drawn else np.ones(shape, dtype=bool)
    shared = _shared(source, machine, shape)
    places = np.array(alternation(ROUNDS))
    early = low_half(shared[..., places == 0] + _process(source, machine, shape)) + math.log1p(sides.penalty)
    late = low_half(shared[..., places == 1] + _process(source, machine, shape))
    ratios: Values = np.where(second_first, early - late, late - early) + math.log1p(sides.change)
    return ratios


def verdicts(
    source: np.random.Generator, machine: Machine, sides: Sides, comparisons: int
) -> Iterator[tuple[tuple[str, int], ...]]:
    """Carry out so many comparisons; yield of each the verdicts, and after how many blocks they were."""
    left = comparisons * METRICS
    while left > 0:
        rows = log_ratios(source, machine, sides, min(left, _BATCH)).tolist()
        left -= len(rows)
        found = [_verdict(row) for row in rows]
        for start in range(0, len(found), METRICS):
            yield tuple(found[start : start + METRICS])


@dataclass(frozen=True, slots=True)
class Shares:
    """What came of many comparisons.

    Attributes:
        alarmed: comparisons in which any metric was called slower or faster.
        slowed: comparisons in which any was called slower.
        verdicts: how many metrics came to each verdict.
        blocks: of a metric, on average.
    """

    comparisons: int
    alarmed: int
    slowed: int
    verdicts: Mapping[str, int]
    blocks: float

    def share(self, verdict: str) -> float:
        """Return the share of metrics that came to a verdict."""
        return self.verdicts.get(verdict, 0) / (self.comparisons * METRICS)


def shares(machine: Machine, sides: Sides, comparisons: int, seed: int) -> Shares:
    """Carry out so many comparisons and count."""
    counted: Counter[str] = Counter()
    alarmed = slowed = blocks = 0
    for found in verdicts(np.random.default_rng(seed), machine, sides, comparisons):
        names = {verdict for verdict, _ in found}
        alarmed += not names.isdisjoint({"slower", "faster"})
        slowed += "slower" in names
        counted.update(verdict for verdict, _ in found)
        blocks += sum(taken for _, taken in found)
    return Shares(comparisons, alarmed, slowed, counted, blocks / (comparisons * METRICS))


def _verdict(differences: list[float]) -> tuple[str, int]:
    for blocks in RULE.looks:
        verdict = decide_metric(differences[:blocks], METRICS, RULE).verdict
        if verdict is not None:
            return verdict, blocks
    raise AssertionError("the last look always ends")


def _shared(source: np.random.Generator, machine: Machine, shape: tuple[int, int]) -> Values:
    """Draw what befalls both sides: a level of the block, drift from round to round, and bursts."""
    steps = source.normal(0.0, _DRIFT * machine.noise, (*shape, _SLOTS))
    level = source.normal(0.0, _BETWEEN_BLOCKS, (*shape, 1))
    begins = source.integers(0, _SLOTS, (*shape, 1))
    since = np.arange(_SLOTS) - begins
    in_burst = (source.random((*shape, 1)) < machine.bursts) & (since >= 0) & (since < _BURST_SLOTS)
    shared: Values = level + steps.cumsum(axis=-1)
    return shared + in_burst * source.exponential(_BURST, (*shape, _SLOTS))


def _process(source: np.random.Generator, machine: Machine, shape: tuple[int, int]) -> Values:
    """Draw what befalls one process: its own level, skewed rounds that resemble each other, and spikes."""
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
