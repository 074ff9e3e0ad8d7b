"""Which trial comes next: the orders of the blocks, and the cases that are still run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.errors import UnreadableResultError
from bench.model.cases import Case, Experiment
from bench.model.comparison import Comparison
from bench.model.results import Measurement
from bench.runner.context import ScheduledTrial
from bench.stats.block_order import block_order
from bench.stats.comparison_state import ComparisonState, PairedTrial
from bench.stats.run_state import RunState
from bench.stats.stopping_rule import stopping_rule


def run_state(experiment: Experiment) -> RunState:
    """Return the tally of an experiment before its first trial."""
    return RunState(
        (case.id for case in experiment.cases), stopping_rule(experiment.blocks, experiment.stopping)
    )


def scheduled_trials(experiment: Experiment, tally: RunState) -> Iterator[tuple[Case, ScheduledTrial]]:
    """Yield each trial when its turn has come, beginning where the tally stands.

    The tally must have taken what a trial yielded before the next is asked for: a trial whose attempt is
    repeated comes again at once.
    """
    cases = {case.id: case for case in experiment.cases}
    while tally.due:
        block = tally.blocks
        for position, case_id in enumerate(block_order(cases, experiment.seed, block)):
            while tally.blocks == block and case_id in tally.due:
                yield cases[case_id], ScheduledTrial(block, position, tally.due[case_id])


def replay_trials(experiment: Experiment, trials: Sequence[Measurement]) -> RunState:
    """Return the tally of an experiment after these trials.

    Raises:
        UnreadableResultError: one of them was not due when it came.
    """
    tally = run_state(experiment)
    coming = scheduled_trials(experiment, tally)
    for number, trial in enumerate(trials):
        case, turn = next(coming, (None, None))
        if case is None or (case.id, turn) != (
            trial.case,
            ScheduledTrial(trial.block, trial.position, trial.attempt),
        ):
            raise UnreadableResultError(
                f"trial {number} of the journal is {trial.case} in block {trial.block}, and was not due then",
                hint="it is of another config, or of another flagbench",
            )
        tally.take(trial)
    return tally


@dataclass(frozen=True, slots=True)
class ScheduledPair:
    """A duet whose turn has come.

    Attributes:
        case: its id, without a variant.
        cases: both variants, in the order in which they are started.
        turn: of the first of them; the second has the next position.
    """

    case: str
    cases: tuple[Case, Case]
    turn: ScheduledTrial

    def is_of(self, trials: Sequence[Measurement]) -> bool:
        """Say whether trials, in the order in which they were run, begin this duet."""
        return all(
            (trial.case, trial.block, trial.position, trial.attempt)
            == (case.id, self.turn.block, self.turn.position + place, self.turn.attempt)
            for place, (trial, case) in enumerate(zip(trials, self.cases, strict=False))
        )

    def duet(self, trials: Sequence[Measurement], contest: Comparison) -> PairedTrial:
        """Put the trials in the order base, candidate."""
        by_variant = dict(zip((case.variant for case in self.cases), trials, strict=True))
        return PairedTrial(by_variant[contest.base], by_variant[contest.candidate])


def variants_of(cases: Sequence[Case]) -> Mapping[str, tuple[Case, ...]]:
    """Return both variants of each case, by its id without one."""
    names = dict.fromkeys(case.plain_id for case in cases)
    return {name: tuple(case for case in cases if case.plain_id == name) for name in names}


def comparison_state(experiment: Experiment, contest: Comparison) -> ComparisonState:
    """Return the tally of a contest before its first duet."""
    return ComparisonState(variants_of(experiment.cases), contest)


def scheduled_pairs(
    experiment: Experiment, contest: Comparison, tally: ComparisonState
) -> Iterator[ScheduledPair]:
    """Yield each duet when its turn has come, beginning where the tally stands.

    Until the tally has taken what a duet yielded, the same comes again.
    Which side is started first is a coin of the block's and the case's own.
    """
    sides = variants_of(experiment.cases)
    while tally.due:
        block = tally.blocks
        for place, name in enumerate(block_order(sides, experiment.seed, block)):
            by_id = {case.id: case for case in sides[name]}
            first, second = (by_id[each] for each in block_order(by_id, contest.coins, block))
            while tally.blocks == block and name in tally.due:
                yield ScheduledPair(name, (first, second), ScheduledTrial(block, 2 * place, tally.due[name]))


@dataclass(frozen=True, slots=True)
class ReplayState:
    """What the trials of a contest come to.

    Attributes:
        trials: those that count: all but halves of duets whose other half was lost.
    """

    tally: ComparisonState
    trials: tuple[Measurement, ...]


def replay_pairs(experiment: Experiment, contest: Comparison, trials: Sequence[Measurement]) -> ReplayState:
    """Work out where a contest stands after these trials.

    Raises:
        UnreadableResultError: one of them was not due when it came.
    """
    tally = comparison_state(experiment, contest)
    coming = scheduled_pairs(experiment, contest, tally)
    counted: list[Measurement] = []
    number = 0
    while number < len(trials):
        due = next(coming, None)
        pair = trials[number : number + 2]
        if due is None or not due.is_of(pair[:1]):
            trial = trials[number]
            raise UnreadableResultError(
                f"trial {number} of the journal is {trial.case} in block {trial.block}, and was not due then",
                hint="it is of another config, or of another flagbench",
            )
        if len(pair) == len(due.cases) and due.is_of(pair):
            counted += pair
            tally.take(due.case, due.duet(pair, contest))
            number += 1
        number += 1
    return ReplayState(tally, tuple(counted))


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an experiment stands.

    Attributes:
        trials: those that count.
        is_due: whether there are more to come.
    """

    trials: tuple[Measurement, ...]
    is_due: bool


def run_progress(experiment: Experiment, trials: Sequence[Measurement]) -> Progress:
    """Work out where an experiment stands after these trials.

    Raises:
        UnreadableResultError: one of them was not due when it came.
    """
    if experiment.contest is None:
        return Progress(tuple(trials), bool(replay_trials(experiment, trials).due))
    replayed = replay_pairs(experiment, experiment.contest, trials)
    return Progress(replayed.trials, bool(replayed.tally.due))
