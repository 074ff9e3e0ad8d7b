"""Which duet comes next in a contest: the orders of the blocks, the coins, and the cases still run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.errors import UnreadableResultError
from bench.model.cases import Case, Experiment
from bench.model.comparison import Contest
from bench.model.results import Measurement
from bench.runner.site import Turn
from bench.stats.block_order import block_order
from bench.stats.contest import ContestTally, Duet


@dataclass(frozen=True, slots=True)
class DuetTurn:
    """A duet whose turn has come.

    Attributes:
        case: its id, without a variant.
        cases: both variants, in the order in which they are started.
        turn: of the first of them; the second has the next position.
    """

    case: str
    cases: tuple[Case, Case]
    turn: Turn

    def is_of(self, trials: Sequence[Measurement]) -> bool:
        """Say whether trials, in the order in which they were run, begin this duet."""
        return all(
            (trial.case, trial.block, trial.position, trial.attempt)
            == (case.id, self.turn.block, self.turn.position + place, self.turn.attempt)
            for place, (trial, case) in enumerate(zip(trials, self.cases, strict=False))
        )

    def duet(self, trials: Sequence[Measurement], contest: Contest) -> Duet:
        """Put the trials in the order base, candidate."""
        by_variant = dict(zip((case.variant for case in self.cases), trials, strict=True))
        return Duet(by_variant[contest.base], by_variant[contest.candidate])


def sides_of(cases: Sequence[Case]) -> Mapping[str, tuple[Case, ...]]:
    """Return both variants of each case, by its id without one."""
    names = dict.fromkeys(case.plain_id for case in cases)
    return {name: tuple(case for case in cases if case.plain_id == name) for name in names}


def contest_tally(experiment: Experiment, contest: Contest) -> ContestTally:
    """Return the tally of a contest before its first duet."""
    return ContestTally(sides_of(experiment.cases), contest)


def duet_turns(experiment: Experiment, contest: Contest, tally: ContestTally) -> Iterator[DuetTurn]:
    """Yield each duet when its turn has come, beginning where the tally stands.

    Until the tally has taken what a duet yielded, the same comes again.
    Which side is started first is a coin of the block's and the case's own.
    """
    sides = sides_of(experiment.cases)
    while tally.due:
        block = tally.blocks
        for place, name in enumerate(block_order(sides, experiment.seed, block)):
            by_id = {case.id: case for case in sides[name]}
            first, second = (by_id[each] for each in block_order(by_id, contest.coins, block))
            while tally.blocks == block and name in tally.due:
                yield DuetTurn(name, (first, second), Turn(block, 2 * place, tally.due[name]))


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the trials of a contest come to.

    Attributes:
        trials: those that count: all but halves of duets whose other half was lost.
    """

    tally: ContestTally
    trials: tuple[Measurement, ...]


def replay_duets(experiment: Experiment, contest: Contest, trials: Sequence[Measurement]) -> Replayed:
    """Work out where a contest stands after these trials.

    Raises:
        UnreadableResultError: one of them was not due when it came.
    """
    tally = contest_tally(experiment, contest)
    coming = duet_turns(experiment, contest, tally)
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
    return Replayed(tally, tuple(counted))
