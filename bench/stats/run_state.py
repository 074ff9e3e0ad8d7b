"""The state of a run: the cases still due, and why others stopped.

It is a function of the trials alone. The journal of a run therefore leads to the same decisions as the run
itself did.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from bench.model.cases import Stopping
from bench.model.observer import MetricState, Stop
from bench.model.results import Measurement, Run
from bench.stats.intervals import block_value
from bench.stats.retries import is_final
from bench.stats.stopping_rule import StoppingRule, decide_stops, half_width, stopping_rule

_GIVE_UP_AFTER: Final = 3
_STRIKES: Final = {"crash": 1, "timeout": 1, "invalid": 1, "escape": _GIVE_UP_AFTER}
"""A case is given up after three of these: each costs much time, and they seldom come alone."""


class RunState:
    """Counts trials in the order in which they are run.

    Attributes:
        blocks: number of finished blocks.
        due: the cases that the current block still waits for, with the number of attempts so far; empty
            once the run is over.
        stops: why each stopped case stopped.
        spent_s: seconds of all trials so far.
        metrics: always empty: only comparisons decide on metrics.
    """

    metrics: tuple[MetricState, ...] = ()

    def __init__(self, cases: Iterable[str], rule: StoppingRule) -> None:
        self._rule = rule
        self._values: dict[str, list[float]] = {case: [] for case in cases}
        self._strikes: Counter[str] = Counter()
        self.spent_s = 0.0
        self.blocks = 0
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
        self._strikes[trial.case] += _STRIKES.get(trial.outcome, 0)
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
