"""The state of a comparison: the cases still due, and its decisions.

It is a function of the trials alone. The journal of a comparison therefore leads to the same verdicts as the
comparison itself did.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from bench.model.comparison import Comparison, Metric
from bench.model.observer import MetricState, Stop, StopReason
from bench.model.results import Measurement
from bench.stats.metrics import metric_value
from bench.stats.retries import MOST_REPEATS, PAUSES_S
from bench.stats.sequential_test import (
    Decision,
    SequentialRule,
    decide_metric,
    estimate_ratio,
    rule_with_look,
)

RULE: Final = SequentialRule()
"""Without an early look; the least and most blocks of any comparison are the same."""
Question: TypeAlias = tuple[str, Metric]
"""A case, without a variant, and a metric of it."""

_GIVE_UP_AFTER: Final = 3
"""Failures of a variant in all, or disturbed blocks in a row."""
_STRIKES: Final = {"escape": _GIVE_UP_AFTER}


@dataclass(frozen=True, slots=True)
class PairedTrial:
    """The trials of both variants of a case in one block; either may have been run first."""

    base: Measurement
    candidate: Measurement

    @property
    def is_final(self) -> bool:
        """Whether the pair counts: it is repeated where no variant failed, but one was disturbed."""
        return not self.is_disturbed or self.attempt >= MOST_REPEATS

    @property
    def is_ok(self) -> bool:
        """Whether both trials succeeded."""
        return self.base.outcome == self.candidate.outcome == "ok"

    @property
    def is_disturbed(self) -> bool:
        """Whether the machine or the server is to blame, and no variant."""
        return {self.base.outcome, self.candidate.outcome} in ({"invalid"}, {"ok", "invalid"})

    @property
    def attempt(self) -> int:
        """Number of attempts before this one."""
        return self.base.attempt

    @property
    def took_s(self) -> float:
        """Seconds of the pair, nearly: the worker that is started first lives almost as long as both."""
        return max(self.base.took_s, self.candidate.took_s)


def rule_of(comparison: Comparison) -> SequentialRule:
    """Return the rule that decides a comparison."""
    return rule_with_look(comparison.early_look)


def pair_trials(comparison: Comparison, one: Measurement, other: Measurement) -> PairedTrial:
    """Put the two trials of a pair in the order base, candidate."""
    is_base = one.case.rpartition("@")[2] == comparison.base
    return PairedTrial(one, other) if is_base else PairedTrial(other, one)


class ComparisonState:
    """Counts pairs of trials in the order in which they are run.

    Attributes:
        blocks: number of finished blocks.
        due: the cases, without a variant, that the current block still waits for, with the number of
            attempts so far; empty once the comparison is over.
        stops: why each stopped case stopped.
        unmeasured: metrics that three blocks did not yield, and that are therefore waited for no longer.
        spent_s: seconds of all pairs so far, and of the pauses before retries.
    """

    def __init__(
        self, cases: Iterable[str], comparison: Comparison, rule: SequentialRule | None = None
    ) -> None:
        self._comparison = comparison
        self._rule = rule or rule_of(comparison)
        self.blocks = 0
        self.due = dict.fromkeys(cases, 0)
        self.stops: dict[str, Stop] = {}
        self.unmeasured: set[Question] = set()
        self.spent_s = 0.0
        self._spent_before_block_s = 0.0
        self._cases = tuple(self.due)
        self._differences: dict[Question, list[float]] = {
            (case, metric): [] for case in self._cases for metric in comparison.metrics
        }
        self._decisions: dict[Question, Decision] = {}
        self._strikes: Counter[str] = Counter()
        self._disturbed: Counter[str] = Counter()
        self._gaps: Counter[Question] = Counter()

    @property
    def metrics(self) -> tuple[MetricState, ...]:
        """The last interim look at each metric, and before the first look an estimate."""
        return tuple(self._metric_state(question) for question in self._differences)

    def add(self, *trials: Measurement) -> Mapping[str, Stop]:
        """Count both trials of a pair, and return the cases that now stop.

        The pair must be due.
        """
        one, other = trials
        case, pair = one.case.rpartition("@")[0], pair_trials(self._comparison, one, other)
        self.spent_s += pair.took_s
        if not pair.is_final:
            self.spent_s += PAUSES_S[pair.attempt]
            self.due[case] = pair.attempt + 1
            return {}
        del self.due[case]
        if pair.is_ok:
            for metric in self._comparison.metrics:
                self._add_block((case, metric), pair)
            self._disturbed[case] = 0
        elif pair.is_disturbed:
            self._disturbed[case] += 1
        else:
            self._strikes[case] += max(_STRIKES.get(each.outcome, 1) for each in (pair.base, pair.candidate))
        reason = self._stop_reason(case)
        stopped = {} if reason is None else {case: Stop(reason, self.blocks + 1)}
        self.stops |= stopped
        if not self.due:
            stopped |= self._end_block()
        return stopped

    def _add_block(self, question: Question, pair: PairedTrial) -> None:
        """Add a block to an undecided metric, and take an interim look at it if one is due."""
        if self._is_settled(question):
            return
        case, metric = question
        base, candidate = metric_value(pair.base, metric), metric_value(pair.candidate, metric)
        if base is None or candidate is None:
            self._gaps[question] += 1
            if self._gaps[question] >= _GIVE_UP_AFTER:
                self.unmeasured.add(question)
            return
        differences = self._differences[question]
        differences.append(math.log(candidate) - math.log(base))
        rule = replace(self._rule, margin=self._comparison.margins[case])
        if len(differences) in rule.looks:
            self._decisions[question] = decide_metric(differences, len(self._differences), rule)
        elif len(differences) < rule.looks[0]:
            self._decisions[question] = estimate_ratio(differences)

    def _is_settled(self, question: Question) -> bool:
        decision = self._decisions.get(question)
        return question in self.unmeasured or (decision is not None and decision.verdict is not None)

    def _stop_reason(self, case: str) -> StopReason | None:
        if self._strikes[case] >= _GIVE_UP_AFTER:
            return "given up"
        if self._disturbed[case] >= _GIVE_UP_AFTER:
            return "disturbed"
        is_decided = all(self._is_settled((case, metric)) for metric in self._comparison.metrics)
        return "decided" if is_decided else None

    def _end_block(self) -> dict[str, Stop]:
        """Start the next block, unless it would exceed the budget if it took as long as this one."""
        self.blocks += 1
        block_s, self._spent_before_block_s = self.spent_s - self._spent_before_block_s, self.spent_s
        running = [case for case in self._cases if case not in self.stops]
        if self.spent_s + block_s <= self._comparison.budget_s:
            self.due = dict.fromkeys(running, 0)
            return {}
        stopped = dict.fromkeys(running, Stop("budget", self.blocks))
        self.stops |= stopped
        return stopped

    def _metric_state(self, question: Question) -> MetricState:
        case, metric = question
        decision = self._decisions.get(question)
        if decision is None:
            return MetricState(case, metric)
        ratio = decision.ratio
        return MetricState(
            case, metric, decision.verdict, ratio.estimate, ratio.low, ratio.high, decision.blocks
        )
