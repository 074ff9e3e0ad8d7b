"""The block loop: runs the entries of a schedule one after the other.

None of their trials is lost.
"""

import time
from collections.abc import Callable, Sequence

from bench.model.observer import Observer
from bench.model.results import Measurement
from bench.stats.retries import PAUSES_S
from bench.stats.schedule import Schedule, ScheduleEntry


def run_blocks(
    schedule: Schedule,
    measure: Callable[[ScheduleEntry], Sequence[Measurement]],
    record: Callable[..., None],
    observer: Observer,
    pause: Callable[[float], None] = time.sleep,
) -> list[Measurement]:
    """Run the trials that are due until none is, and return their measurements.

    Args:
        schedule: holds the trials that are due.
        measure: runs the trials of an entry.
        record: makes measurements durable; called with those of an entry before anything else follows.
        observer: is told about every step.
        pause: waits some seconds before a retry.

    Raises:
        SetupError: the harness cannot go on; every measurement so far is recorded.
    """
    state = schedule.state
    measured: list[Measurement] = []
    observer.run_started(schedule.experiment, schedule.kept, dict(state.stops))
    observer.metrics_changed(state.metrics, state.spent_s)
    for entry in schedule.entries():
        if entry.attempt > 0:
            pause(PAUSES_S[entry.attempt - 1])
        observer.trial_started(entry.case, entry.block)
        trials = measure(entry)
        record(*trials)
        measured += trials
        for trial in trials:
            observer.trial_ended(trial)
        for case, stop in state.add(*trials).items():
            observer.case_stopped(case, stop)
        observer.metrics_changed(state.metrics, state.spent_s)
        if state.blocks > entry.block:
            observer.block_ended(entry.block)
    return measured
