"""Two cases of one run, compared block by block."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bench.stats.intervals import Interval
from bench.stats.signed_rank import p_value, shift_interval

Sample: TypeAlias = Mapping[int, float]
"""The value of each block in which a case succeeded, in seconds."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many times longer the second side takes than the first.

    Attributes:
        ratio: second ÷ first, with its 95 % interval.
        p: two-sided probability of this much of a difference between equal sides.
    """

    ratio: Interval
    p: float
    blocks: int


def compare(first: Sequence[float], second: Sequence[float]) -> Comparison:
    """Compare two samples of block values, position by position the same block.

    The blocks are the unit of replication: drift hits both sides of a block alike, and rounds within
    one process share that process's luck (Kalibera & Jones, ISMM 2013).
    """
    # a difference of logarithms, as the logarithm of a quotient is not quite that of its inverse, negated
    differences = [math.log(b) - math.log(a) for a, b in zip(first, second, strict=True)]
    shift = shift_interval(differences)
    ratio = Interval(math.exp(shift.estimate), _exp(shift.low), _exp(shift.high))
    return Comparison(ratio, p_value(differences), len(differences))


def compare_samples(first: Sample, second: Sample) -> Comparison | None:
    """Compare two cases over the blocks that they share; ``None`` if there are none."""
    shared = sorted(first.keys() & second.keys())
    if not shared:
        return None
    return compare([first[block] for block in shared], [second[block] for block in shared])


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjust p-values for their number, in the order given (Holm, *Scand. J. Statist.* 6, 1979)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for step, index in enumerate(order):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - step)))
        adjusted[index] = highest
    return tuple(adjusted)


def _exp(value: float | None) -> float | None:
    return None if value is None else math.exp(value)
