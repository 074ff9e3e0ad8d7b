"""Decide after each block which cases of a run have been measured enough. Called by `run_state`.

Method: the width of the 95 % interval of a case's median is compared with the goal after numbers of blocks
that are fixed before the first trial and grow by about the factor 1.4. Stopping at the first interval that
happens to be narrow costs some of its coverage; the fewer the looks, the less (docs/decisions.md has the
figures). If noise is skewed, a narrow interval goes with a low median, so that verdicts between cases that
left at different times err a little more often, too. This is for the figures of a table and never for a gate.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.model.cases import Stopping
from bench.model.observer import Stop, StopReason
from bench.stats.intervals import median_interval

_GROWTH: Final = 1.4


@dataclass(frozen=True, slots=True)
class StoppingRule:
    """When cases are no longer run, fixed before the first block.

    Attributes:
        looks: numbers of blocks after which precision is checked, ascending: no case stops before the
            first unless it is given up, and none runs beyond the last.
        precision: half-width of the interval of a case's median, as a share of it, that is enough;
            ``None`` for no goal.
        budget_s: seconds of trials after which no further block is begun; ``None`` for no limit.
    """

    looks: tuple[int, ...]
    precision: float | None = None
    budget_s: float | None = None


def stopping_rule(blocks: int, stopping: Stopping | None) -> StoppingRule:
    """Return the rule of an experiment: at most so many blocks, and exactly so many without ``stopping``."""
    if stopping is None:
        return StoppingRule((blocks,))
    least = min(stopping.least_blocks, blocks)
    return StoppingRule(looks_between(least, blocks), stopping.precision, stopping.budget_s)


def looks_between(least: int, most: int) -> tuple[int, ...]:
    """Return numbers of blocks from the least to the most, each about 1.4 times the one before."""
    steps = max(1, round(math.log(most / least) / math.log(_GROWTH)))
    looks = (round(least * (most / least) ** (step / steps)) for step in range(steps + 1))
    return tuple(dict.fromkeys(looks))


def decide_stops(
    samples: Mapping[str, Sequence[float]], rule: StoppingRule, blocks: int, spent_s: float
) -> dict[str, Stop]:
    """Return the cases that stop after so many blocks, each with its reason.

    Args:
        samples: by case, the values of the blocks in which it succeeded.
        rule: the rule of the run.
        blocks: number of blocks done.
        spent_s: seconds that all trials took so far, failures included.
    """
    if blocks < rule.looks[0]:
        return {}
    end = _end_of_run(rule, blocks, spent_s)
    decided = {}
    for case, values in samples.items():
        width = half_width(values)
        reason = "precise" if _is_precise(width, rule, blocks) else end
        if reason is not None:
            decided[case] = Stop(reason, blocks, width)
    return decided


def half_width(values: Sequence[float]) -> float | None:
    """Return half the width of the 95 % interval of the median, as a share of the median.

    Return None for fewer than the six values that such an interval takes.
    """
    if not values:
        return None
    interval = median_interval(values)
    if interval.low is None or interval.high is None or interval.estimate <= 0:
        return None
    return (interval.high - interval.low) / 2 / interval.estimate


def _end_of_run(rule: StoppingRule, blocks: int, spent_s: float) -> StopReason | None:
    """Return the reason that ends the run for all cases, or None."""
    if blocks >= rule.looks[-1]:
        return "blocks"
    return "budget" if rule.budget_s is not None and spent_s >= rule.budget_s else None


def _is_precise(width: float | None, rule: StoppingRule, blocks: int) -> bool:
    if width is None or rule.precision is None or blocks not in rule.looks:
        return False
    return width <= rule.precision
