"""The block loop of a contest: in each block both sides of every case that is undecided, and nothing lost."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bench.model.cases import Case, Experiment
from bench.model.comparison import Contest
from bench.model.results import Measurement
from bench.runner.duet import ROUNDS, measure_duet
from bench.runner.duets import DuetTurn, duet_turns, replay_duets, sides_of
from bench.runner.shift import ServerShift
from bench.runner.site import Site, Turn
from bench.runner.stand import stand
from bench.stats.attempts import PAUSES_S
from bench.stats.observer import Observer
from bench.storage.journal import Journal

_LONG_ENOUGH_S: Final = 0.2
"""What a timed round should take: short ones have little power (docs/statistics.md)."""
_PILOT_BLOCK: Final = 1_000_000
"""Weather that no block of the contest has."""
_PILOT_ROUNDS: Final = 2


def run_contest(
    experiment: Experiment,
    contest: Contest,
    journal: Journal,
    observer: Observer,
    kept: Sequence[Measurement] = (),
) -> list[Measurement]:
    """Run every duet that is due, put both of its measurements into the journal at once, and return all.

    Raises:
        UnreadableResultError: what is kept is not of this contest.
        EnvironmentFault: the harness cannot go on; what was measured is in the journal.
    """
    with stand(experiment) as (site, shift):

        def measure_one(due: DuetTurn) -> Sequence[Measurement]:
            yielded = _measure(site, shift, due)
            journal.append(*yielded)
            return yielded

        return take_duets(experiment, contest, measure_one, observer, time.sleep, kept)


def take_duets(  # noqa: PLR0913, PLR0917  what `take_turns` takes, and the contest
    experiment: Experiment,
    contest: Contest,
    measure_one: Callable[[DuetTurn], Sequence[Measurement]],
    observer: Observer,
    pause: Callable[[float], None],
    kept: Sequence[Measurement] = (),
) -> list[Measurement]:
    """Run the duets that are due one after the other, until all is decided, and return what they yielded.

    Args:
        experiment: both variants of every case.
        contest: decides when it is enough.
        measure_one: runs both trials of a duet, and keeps what they yield for good.
        observer: who looks on.
        pause: waits for so many seconds.
        kept: what the contest yielded before it was left, from its first trial on.
    """
    tally = replay_duets(experiment, contest, kept).tally
    measured: list[Measurement] = []
    observer.run_started(experiment)
    observer.contest_stands(tally)
    for due in duet_turns(experiment, contest, tally):
        if due.turn.attempt > 0:
            pause(PAUSES_S[due.turn.attempt - 1])
        observer.trial_started(replace(due.cases[0], variant=""), due.turn.block)
        yielded = measure_one(due)
        measured += yielded
        tally.take(due.case, due.duet(yielded, contest))
        for trial in yielded:
            observer.trial_ended(trial)
        observer.contest_stands(tally)
        if tally.blocks > due.turn.block:
            observer.block_ended(due.turn.block)
    return measured


@dataclass(frozen=True, slots=True)
class Pilot:
    """What a first try of every case says.

    Attributes:
        repeats: by case, how many times as long its rounds must be to be timed well.
        block_s: seconds that a block of such rounds will take, roughly.
    """

    repeats: Mapping[str, int]
    block_s: float


def pilot(experiment: Experiment) -> Pilot:
    """Try both sides of every case once; how long a round is shows in one that a busy machine spoilt, too.

    A side that fails here will fail in the contest, too, which is where that is told.
    """
    trial = replace(experiment, rounds=_PILOT_ROUNDS)
    repeats: dict[str, int] = {}
    block_s = 0.0
    with stand(trial) as (site, shift):
        for place, (name, cases) in enumerate(sides_of(experiment.cases).items()):
            trials = _measure(site, shift, _tried(name, cases, 2 * place))
            elapsed_s = [round_.elapsed_s for trial in trials for round_ in trial.rounds]
            quickest_s = min(elapsed_s, default=_LONG_ENOUGH_S)
            repeats[name] = max(1, math.ceil(_LONG_ENOUGH_S / quickest_s))
            timed_s = len(trials) * (experiment.rounds or ROUNDS) * repeats[name] * quickest_s
            block_s += max(trial.took_s for trial in trials) - math.fsum(elapsed_s) + timed_s
    return Pilot(repeats, block_s)


def lengthened(experiment: Experiment, contest: Contest) -> Experiment:
    """Return an experiment that is this contest, with rounds as long as that has them."""
    cases = tuple(_longer(case, contest.repeats[case.plain_id]) for case in experiment.cases)
    return replace(experiment, cases=cases, contest=contest)


def _longer(case: Case, factor: int) -> Case:
    return replace(case, countries=replace(case.countries, repeat=case.countries.repeat * factor))


def _measure(site: Site, shift: ServerShift, due: DuetTurn) -> Sequence[Measurement]:
    turns = [replace(due.turn, position=due.turn.position + place) for place in range(len(due.cases))]
    return shift.measure(
        lambda server: measure_duet(site, server, due.cases, due.turn),
        list(zip(due.cases, turns, strict=True)),
    )


def _tried(name: str, cases: tuple[Case, ...], position: int) -> DuetTurn:
    first, second = cases
    return DuetTurn(name, (first, second), Turn(_PILOT_BLOCK, position))
