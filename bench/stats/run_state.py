"""Which cases of a run are still run, and why the others are not: a function of its trials alone.

The journal of a run therefore leads to the same decisions as the run itself did.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from bench.model.cases import Stopping
from bench.model.results import Measurement, Run
from bench.stats.intervals import block_value
from bench.stats.retries import is_final
from bench.stats.stopping_rule import Stop, StoppingRule, decide_stops, half_width, stopping_rule

_GIVE_UP_AFTER: Final = 3
_STRIKES: Final = {"crash": 1, "timeout": 1, "invalid": 1, "escape": _GIVE_UP_AFTER}
"""A case is given up after three of these: each costs much time, and they seldom come alone."""


class RunState:
    """Counts trials in the order in which they are run.

    Attributes:
        blocks: how many blocks are done.
        due: the cases that the current block still waits for, and how often each was tried in it; empty
            once the run is over.
        stops: why each case that is run no more is not.
    """

    def __init__(self, cases: Iterable[str], rule: StoppingRule) -> None:
        self._rule = rule
        self._values: dict[str, list[float]] = {case: [] for case in cases}
        self._strikes: Counter[str] = Counter()
        self._spent_s = 0.0
        self.blocks = 0
        self.due = dict.fromkeys(self._values, 0)
        self.stops: dict[str, Stop] = {}

    def take(self, trial: Measurement) -> Mapping[str, Stop]:
        """Count a trial, and say which cases leave because of it; one that is not due changes nothing."""
        if trial.block != self.blocks or trial.case not in self.due:
            return {}
        self._spent_s += trial.took_s
        if not is_final(trial):
            self.due[trial.case] = trial.attempt + 1
            return {}
        del self.due[trial.case]
        if trial.outcome == "ok" and trial.rounds:
            self._values[trial.case].append(block_value([round_.elapsed_s for round_ in trial.rounds]))
        leaving = self._given_up(trial)
        self.stops |= leaving
        if not self.due:
            leaving |= self._end_block()
        return leaving

    def _given_up(self, trial: Measurement) -> dict[str, Stop]:
        self._strikes[trial.case] += _STRIKES.get(trial.outcome, 0)
        if self._strikes[trial.case] < _GIVE_UP_AFTER:
            return {}
        return {trial.case: Stop("given up", self.blocks + 1, half_width(self._values[trial.case]))}

    def _end_block(self) -> dict[str, Stop]:
        self.blocks += 1
        running = {case: values for case, values in self._values.items() if case not in self.stops}
        leaving = decide_stops(running, self._rule, self.blocks, self._spent_s)
        self.stops |= leaving
        self.due = {case: 0 for case in running if case not in leaving}
        return leaving


def stops_of(run: Run) -> Mapping[str, Stop]:
    """Work out why each case of a stored run was run no more; one that is missing was interrupted."""
    rule = rule_of(run)
    if rule is None:
        return {}
    tally = RunState((case.id for case in run.cases), rule)
    for trial in sorted(run.trials, key=lambda trial: trial.block):
        tally.take(trial)
    return tally.stops


def rule_of(run: Run) -> StoppingRule | None:
    """Read the rule that a stored run followed; ``None`` if its config does not tell."""
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
