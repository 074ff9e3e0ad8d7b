"""The block loop: every case once per block, each in a process of its own, and nothing lost."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bench.model.cases import Case, Experiment
from bench.model.comparison import Comparison
from bench.model.results import Measurement
from bench.runner.context import RunContext, ScheduledTrial
from bench.runner.paired_trial import ROUNDS, measure_pair
from bench.runner.schedule import (
    ScheduledPair,
    replay_pairs,
    replay_trials,
    scheduled_pairs,
    scheduled_trials,
    variants_of,
)
from bench.runner.server_restart import RestartableServer
from bench.runner.setup import run_environment
from bench.runner.trial import measure
from bench.stats.observer import Observer
from bench.stats.retries import PAUSES_S
from bench.storage.journal import Journal


def run_blocks(
    experiment: Experiment, journal: Journal, observer: Observer, kept: Sequence[Measurement] = ()
) -> list[Measurement]:
    """Run every case of every block that is due, put each measurement into the journal, and return all.

    Those that are kept from before are not run again.

    Raises:
        UnreadableResultError: what is kept is not of this experiment.
        EnvironmentFault: the harness cannot go on; what was measured is in the journal.
    """
    with run_environment(experiment) as (site, shift):

        def measure_one(case: Case, turn: ScheduledTrial) -> Measurement:
            (measurement,) = shift.measure(lambda server: [measure(site, server, case, turn)], [(case, turn)])
            journal.append(measurement)
            return measurement

        return run_scheduled_trials(experiment, measure_one, observer, time.sleep, kept)


def run_scheduled_trials(
    experiment: Experiment,
    measure_one: Callable[[Case, ScheduledTrial], Measurement],
    observer: Observer,
    pause: Callable[[float], None],
    kept: Sequence[Measurement] = (),
) -> list[Measurement]:
    """Run the trials that are due one after the other, until there are none, and return what they yielded.

    Args:
        experiment: what is to be run.
        measure_one: runs a trial, and keeps what it yields for good.
        observer: who looks on.
        pause: waits for so many seconds.
        kept: what the run yielded before it was left, from its first trial on.
    """
    cases = {case.id: case for case in experiment.cases}
    tally = replay_trials(experiment, kept)
    measured = []
    observer.run_started(experiment)
    if kept:
        observer.run_resumed(kept, tally.stops.values())
    for case, turn in scheduled_trials(experiment, tally):
        if turn.attempt > 0:
            pause(PAUSES_S[turn.attempt - 1])
        observer.trial_started(case, turn.block)
        measurement = measure_one(case, turn)
        measured.append(measurement)
        observer.trial_ended(measurement)
        for case_id, stop in tally.take(measurement).items():
            observer.case_stopped(cases[case_id], stop)
        if tally.blocks > turn.block:
            observer.block_ended(turn.block)
    return measured


_LONG_ENOUGH_S: Final = 0.2
"""What a timed round should take: short ones have little power (docs/statistics.md)."""
_PILOT_BLOCK: Final = 1_000_000
"""Weather that no block of the contest has."""
_PILOT_ROUNDS: Final = 2


def run_comparison(
    experiment: Experiment,
    contest: Comparison,
    journal: Journal,
    observer: Observer,
    kept: Sequence[Measurement] = (),
) -> list[Measurement]:
    """Run every duet that is due, put both of its measurements into the journal at once, and return all.

    Raises:
        UnreadableResultError: what is kept is not of this contest.
        EnvironmentFault: the harness cannot go on; what was measured is in the journal.
    """
    with run_environment(experiment) as (site, shift):

        def measure_one(due: ScheduledPair) -> Sequence[Measurement]:
            yielded = _measure(site, shift, due)
            journal.append(*yielded)
            return yielded

        return run_scheduled_pairs(experiment, contest, measure_one, observer, time.sleep, kept)


def run_scheduled_pairs(  # noqa: PLR0913, PLR0917  what `take_turns` takes, and the contest
    experiment: Experiment,
    contest: Comparison,
    measure_one: Callable[[ScheduledPair], Sequence[Measurement]],
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
    tally = replay_pairs(experiment, contest, kept).tally
    measured: list[Measurement] = []
    observer.run_started(experiment)
    observer.contest_stands(tally)
    for due in scheduled_pairs(experiment, contest, tally):
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


def run_pilot(experiment: Experiment) -> Pilot:
    """Try both sides of every case once; how long a round is shows in one that a busy machine spoilt, too.

    A side that fails here will fail in the contest, too, which is where that is told.
    """
    trial = replace(experiment, rounds=_PILOT_ROUNDS)
    repeats: dict[str, int] = {}
    block_s = 0.0
    with run_environment(trial) as (site, shift):
        for place, (name, cases) in enumerate(variants_of(experiment.cases).items()):
            trials = _measure(site, shift, _tried(name, cases, 2 * place))
            elapsed_s = [round_.elapsed_s for trial in trials for round_ in trial.rounds]
            quickest_s = min(elapsed_s, default=_LONG_ENOUGH_S)
            repeats[name] = max(1, math.ceil(_LONG_ENOUGH_S / quickest_s))
            timed_s = len(trials) * (experiment.rounds or ROUNDS) * repeats[name] * quickest_s
            block_s += max(trial.took_s for trial in trials) - math.fsum(elapsed_s) + timed_s
    return Pilot(repeats, block_s)


def with_repeats(experiment: Experiment, contest: Comparison) -> Experiment:
    """Return an experiment that is this contest, with rounds as long as that has them."""
    cases = tuple(_longer(case, contest.repeats[case.plain_id]) for case in experiment.cases)
    return replace(experiment, cases=cases, contest=contest)


def _longer(case: Case, factor: int) -> Case:
    return replace(case, countries=replace(case.countries, repeat=case.countries.repeat * factor))


def _measure(site: RunContext, shift: RestartableServer, due: ScheduledPair) -> Sequence[Measurement]:
    turns = [replace(due.turn, position=due.turn.position + place) for place in range(len(due.cases))]
    return shift.measure(
        lambda server: measure_pair(site, server, due.cases, due.turn),
        list(zip(due.cases, turns, strict=True)),
    )


def _tried(name: str, cases: tuple[Case, ...], position: int) -> ScheduledPair:
    first, second = cases
    return ScheduledPair(name, (first, second), ScheduledTrial(_PILOT_BLOCK, position))
