"""The state of a run: the cases still due, and why others stopped.

It is a function of the trials alone. The journal of a run therefore leads to the same decisions as the run
itself did.

Method of stopping: the width of the 95 % interval of a case's median is compared with the goal after
numbers of blocks that are fixed before the first trial and grow by about the factor 1.4. Stopping at the
first interval that happens to be narrow costs some of its coverage; the fewer the looks, the less
(docs/decisions.md has the figures). If noise is skewed, a narrow interval goes with a low median, so that
verdicts between cases that left at different times err a little more often, too. This is for the figures of a
table and never for a gate.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.model.cases import Stopping
from bench.model.observer import MetricState, Stop, StopReason
from bench.model.results import Measurement, Run
from bench.stats.intervals import block_value, median_interval
from bench.stats.retries import MOST_REPEATS, is_final

_GROWTH: Final = 1.4
_GIVE_UP_AFTER: Final = 3
_STRIKES: Final = {"crash": 1, "timeout": 1, "invalid": 1, "escape": _GIVE_UP_AFTER}
"""A case is given up after three of these: each costs much time, and they seldom come alone."""


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


class RunState:
    """Counts trials in the order in which they are run, from a number of finished blocks on.

    Attributes:
        blocks: number of finished blocks.
        due: the cases that the current block still waits for, with the number of attempts so far; empty
            once the run is over.
        stops: why each stopped case stopped.
        spent_s: seconds of all trials so far.
        metrics: always empty: only comparisons decide on metrics.
    """

    metrics: tuple[MetricState, ...] = ()

    def __init__(self, cases: Iterable[str], rule: StoppingRule, blocks: int = 0) -> None:
        self._rule = rule
        self._values: dict[str, list[float]] = {case: [] for case in cases}
        self._strikes: Counter[str] = Counter()
        self.spent_s = 0.0
        self.blocks = blocks
        self.due = dict.fromkeys(self._values, 0)
        self.stops: dict[str, Stop] = {}

    def add(self, *trials: Measurement) -> Mapping[str, Stop]:
        """Count trials, and return the cases that stop because of them; ignore a trial that is not due."""
        stopped: dict[str, Stop] = {}
        for trial in trials:
            if trial.block == self.blocks and trial.case in self.due:
                stopped |= self._add(trial)
        return stopped

    def _add(self, trial: Measurement) -> dict[str, Stop]:
        self.spent_s += trial.took_s
        if not is_final(trial):
            self.due[trial.case] = trial.attempt + 1
            return {}
        del self.due[trial.case]
        if trial.outcome == "ok" and trial.rounds:
            self._values[trial.case].append(block_value([round_.elapsed_s for round_ in trial.rounds]))
        stopped = self._give_up(trial)
        if not self.due:
            stopped |= self._end_block()
        return stopped

    def _give_up(self, trial: Measurement) -> dict[str, Stop]:
        has_failed_again = trial.outcome == "error" and trial.attempt >= MOST_REPEATS
        self._strikes[trial.case] += _STRIKES.get(trial.outcome, int(has_failed_again))
        if self._strikes[trial.case] < _GIVE_UP_AFTER:
            return {}
        stop = Stop("given up", self.blocks + 1, half_width(self._values[trial.case]))
        self.stops[trial.case] = stop
        return {trial.case: stop}

    def _end_block(self) -> dict[str, Stop]:
        self.blocks += 1
        running = {case: values for case, values in self._values.items() if case not in self.stops}
        stopped = decide_stops(running, self._rule, self.blocks, self.spent_s)
        self.stops |= stopped
        self.due = {case: 0 for case in running if case not in stopped}
        return stopped


def stops_of(run: Run) -> Mapping[str, Stop]:
    """Return why each case of a stored run stopped; an interrupted case is missing."""
    rule = rule_of(run)
    if rule is None:
        return {}
    state = RunState((case.id for case in run.cases), rule)
    state.add(*sorted(run.trials, key=lambda trial: trial.block))
    return state.stops


def rule_of(run: Run) -> StoppingRule | None:
    """Return the stopping rule of a stored run; ``None`` if its config holds none."""
    match run.config:
        case {
            "blocks": int(most),
            "stopping": {
                "least_blocks": int(least),
                "precision": (float() | int() | None) as precision,
                "budget_s": (float() | int() | None) as budget_s,
            },
        } if 1 <= least <= most:
            return stopping_rule(most, Stopping(least, precision, budget_s))
        case {"blocks": int(most)} if most >= 1:
            return stopping_rule(most, None)
    return None


def stopping_rule(blocks: int, stopping: Stopping | None) -> StoppingRule:
    """Return the rule of an experiment: at most so many blocks, and exactly so many without ``stopping``."""
    if stopping is None:
        return StoppingRule((blocks,))
    least = min(stopping.least_blocks, blocks)
    return StoppingRule(looks_between(least, blocks), stopping.precision, stopping.budget_s)


def looks_between(least: int, blocks: int) -> tuple[int, ...]:
    """Return numbers of blocks from the least to ``blocks``, each about 1.4 times the one before."""
    steps = max(1, round(math.log(blocks / least) / math.log(_GROWTH)))
    looks = (round(least * (blocks / least) ** (step / steps)) for step in range(steps + 1))
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
