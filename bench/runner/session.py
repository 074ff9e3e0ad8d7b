"""The block loop: every case once per block, each in a process of its own, and nothing lost."""

import time
from collections.abc import Callable, Sequence

from bench.model.cases import Case, Experiment
from bench.model.results import Measurement
from bench.runner.course import replay, turns
from bench.runner.measure import measure
from bench.runner.site import Turn
from bench.runner.stand import stand
from bench.stats.attempts import PAUSES_S
from bench.stats.observer import Observer
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
    with stand(experiment) as (site, shift):

        def measure_one(case: Case, turn: Turn) -> Measurement:
            (measurement,) = shift.measure(lambda server: [measure(site, server, case, turn)], [(case, turn)])
            journal.append(measurement)
            return measurement

        return take_turns(experiment, measure_one, observer, time.sleep, kept)


def take_turns(
    experiment: Experiment,
    measure_one: Callable[[Case, Turn], Measurement],
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
    tally = replay(experiment, kept)
    measured = []
    observer.run_started(experiment)
    if kept:
        observer.run_resumed(kept, tally.stops.values())
    for case, turn in turns(experiment, tally):
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
