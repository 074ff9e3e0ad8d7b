"""How a contest stands after each block: a function of its trials alone.

The journal of a contest therefore leads to the same verdicts as the contest itself did.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from bench.model.comparison import Comparison, Metric
from bench.model.results import Measurement
from bench.stats.metrics import metric_value
from bench.stats.retries import MOST_REPEATS, PAUSES_S
from bench.stats.sequential_test import Decision, SequentialRule, decide_metric, estimate_ratio

RULE: Final = SequentialRule()
Question: TypeAlias = tuple[str, Metric]
"""A case, without a variant, and a metric of it."""
Leave: TypeAlias = Literal["decided", "given up", "spoilt", "budget"]
"""Why a case is run no more: all is decided, a side or the machine kept failing, or the budget is spent."""

_GIVE_UP_AFTER: Final = 3
"""Failures of a side in all, or blocks in a row that the machine spoilt."""
_STRIKES: Final = {"escape": _GIVE_UP_AFTER}


@dataclass(frozen=True, slots=True)
class PairedTrial:
    """What both sides of a case yielded in one block; ``base`` or ``candidate`` may have come first."""

    base: Measurement
    candidate: Measurement

    @property
    def is_final(self) -> bool:
        """Say whether this counts; where no side failed, but one was spoilt, it is tried again."""
        outcomes = {self.base.outcome, self.candidate.outcome}
        return outcomes - {"ok", "invalid"} != set() or outcomes == {"ok"} or self.attempt >= MOST_REPEATS

    @property
    def is_sound(self) -> bool:
        """Say whether both sides succeeded."""
        return self.base.outcome == self.candidate.outcome == "ok"

    @property
    def is_spoilt(self) -> bool:
        """Say whether the machine or the server is to blame, and no side."""
        return {self.base.outcome, self.candidate.outcome} in ({"invalid"}, {"ok", "invalid"})

    @property
    def attempt(self) -> int:
        """How often this was tried before."""
        return self.base.attempt

    @property
    def took_s(self) -> float:
        """Seconds that it took, nearly: the side that is started first lives almost as long as both."""
        return max(self.base.took_s, self.candidate.took_s)


class ComparisonState:
    """Counts duets in the order in which they are run.

    Attributes:
        blocks: how many blocks are done.
        due: the cases, without a variant, that the current block still waits for, and how often each was
            tried in it; empty once the contest is over.
        decisions: the last look at each metric of each case, and before the first an estimate; undecided if
            the verdict is ``None``.
        left: why each case that is run no more is not.
        unmeasured: metrics that three blocks did not yield, and that are therefore waited for no longer.
        spent_s: seconds that went into duets, and into waiting before one was tried again.
    """

    def __init__(self, cases: Iterable[str], contest: Comparison, rule: SequentialRule = RULE) -> None:
        self._contest = contest
        self._rule = rule
        self.blocks = 0
        self.due = dict.fromkeys(cases, 0)
        self.decisions: dict[Question, Decision] = {}
        self.left: dict[str, Leave] = {}
        self.unmeasured: set[Question] = set()
        self.spent_s = 0.0
        self._before_s = 0.0
        self._metrics = len(self.due) * len(contest.metrics)
        self._differences: dict[Question, list[float]] = {
            (case, metric): [] for case in self.due for metric in contest.metrics
        }
        self._strikes: Counter[str] = Counter()
        self._spoilt: Counter[str] = Counter()
        self._gaps: Counter[Question] = Counter()

    def take(self, case: str, duet: PairedTrial) -> Sequence[Question]:
        """Count a duet of a case that is due, and say what has been decided by it."""
        self.spent_s += duet.took_s
        if not duet.is_final:
            self.spent_s += PAUSES_S[duet.attempt]
            self.due[case] = duet.attempt + 1
            return ()
        del self.due[case]
        decided: list[Question] = []
        if duet.is_sound:
            decided = [(case, metric) for metric in self._contest.metrics if self._look((case, metric), duet)]
            self._spoilt[case] = 0
        elif duet.is_spoilt:
            self._spoilt[case] += 1
        else:
            self._strikes[case] += max(_STRIKES.get(each.outcome, 1) for each in (duet.base, duet.candidate))
        self._see_off(case)
        if not self.due:
            self._end_block()
        return decided

    def is_decided(self, question: Question) -> bool:
        """Say whether there is a verdict on a metric of a case."""
        return question in self.decisions and self.decisions[question].verdict is not None

    def _look(self, question: Question, duet: PairedTrial) -> bool:
        """Add a block to a metric that is open, look at it if it is time, and say whether that decides it."""
        if self._is_settled(question):
            return False
        case, metric = question
        base, candidate = metric_value(duet.base, metric), metric_value(duet.candidate, metric)
        if base is None or candidate is None:
            self._gaps[question] += 1
            if self._gaps[question] >= _GIVE_UP_AFTER:
                self.unmeasured.add(question)
            return False
        differences = self._differences[question]
        differences.append(math.log(candidate) - math.log(base))
        rule = replace(self._rule, margin=self._contest.margins[case])
        if len(differences) in rule.looks:
            self.decisions[question] = decide_metric(differences, self._metrics, rule)
        elif len(differences) < rule.looks[0]:
            self.decisions[question] = estimate_ratio(differences)
        return self.is_decided(question)

    def _is_settled(self, question: Question) -> bool:
        return self.is_decided(question) or question in self.unmeasured

    def _see_off(self, case: str) -> None:
        """Note that a case leaves, if it does, once its block has been counted for it."""
        if self._strikes[case] >= _GIVE_UP_AFTER:
            self.left[case] = "given up"
        elif self._spoilt[case] >= _GIVE_UP_AFTER:
            self.left[case] = "spoilt"
        elif all(self._is_settled((case, metric)) for metric in self._contest.metrics):
            self.left[case] = "decided"

    def _end_block(self) -> None:
        self.blocks += 1
        block_s, self._before_s = self.spent_s - self._before_s, self.spent_s
        running = [case for case in self._cases() if case not in self.left]
        if self.spent_s + block_s > self._contest.budget_s:
            self.left |= dict.fromkeys(running, "budget")
        else:
            self.due = dict.fromkeys(running, 0)

    def _cases(self) -> Iterable[str]:
        return dict.fromkeys(case for case, _ in self._differences)
