"""Both sides of a case in one block: two workers, alive together, of which only one is at work at a time."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import Final

from bench.model.cases import Case
from bench.model.results import Measurement
from bench.runner.context import RunContext, ScheduledTrial
from bench.runner.processes.server_process import RunningServer
from bench.runner.processes.worker_exit import WorkerExit
from bench.runner.processes.worker_process import Worker, start_worker
from bench.runner.trial import PreparedTrial, prepare_trial, run_and_validate
from bench.stats.block_order import alternation

ROUNDS: Final = 5
"""Timed rounds of each side, unless the config says otherwise."""


def measure_pair(
    site: RunContext, server: RunningServer, cases: Sequence[Case], turn: ScheduledTrial
) -> tuple[Measurement, ...]:
    """Run the trials of two variants of a case side by side, the first of them first.

    They take two positions of the block, that of the turn and the next.

    Raises:
        ServerDiedError: the flag server is gone; whatever the workers said is then worth nothing.
    """
    rounds = site.experiment.rounds or ROUNDS
    trials = [
        prepare_trial(site, server, case, replace(turn, position=turn.position + place), paced=True)
        for place, case in enumerate(cases)
    ]
    endings: list[WorkerExit] = []

    def run() -> Sequence[WorkerExit]:
        endings.extend(_run(site, server, trials, rounds))
        return endings

    measured = run_and_validate(site, server, trials, run)
    return tuple(
        _excused(measurement) if _was_cut_short(ending, rounds) else _shared(measurement)
        for measurement, ending in zip(measured, endings, strict=True)
    )


def _run(
    site: RunContext, server: RunningServer, trials: Sequence[PreparedTrial], rounds: int
) -> list[WorkerExit]:
    """Warm both up, and let them do their rounds in turns, until all are done or one of them fails.

    Whoever waits is stopped: a thread that it left running would take its time from the other one.
    """
    workers: list[Worker] = []
    endings: list[WorkerExit] = []
    with ExitStack() as stack:
        for trial in trials:
            workers.append(stack.enter_context(_started(site, trial)))
            workers[-1].wait_for_event()
            workers[-1].pause()
        for place in (0, 1, *alternation(rounds)):
            if not all(worker.is_waiting for worker in workers):
                break
            workers[place].run_round()
            workers[place].pause()
        for worker in workers:
            worker.finish()
            endings.append(worker.end(None))
        # what has fled from its group is of either side: nobody could say of which
        site.launcher.sweep((server.child.pid,))
    return endings


def _started(site: RunContext, trial: PreparedTrial) -> AbstractContextManager[Worker]:
    return start_worker(
        site.launcher,
        trial.task,
        site.experiment.deadline_s,
        cores=site.pinning.worker,
        variant=trial.side,
        peaks=trial.peaks,
    )


def _was_cut_short(ending: WorkerExit, rounds: int) -> bool:
    """Say whether a worker was told to report before it had done all, as the other side had failed."""
    report = ending.report
    return report is not None and report.outcome == "ok" and len(report.rounds) < 1 + rounds


def _shared(measurement: Measurement) -> Measurement:
    """Say of an escape that it may be the other side's: both share a workspace."""
    if measurement.outcome != "escape":
        return measurement
    return replace(measurement, detail=f"by this side or the other: {measurement.detail}")


def _excused(measurement: Measurement) -> Measurement:
    return replace(measurement, outcome="invalid", detail="cut short: the other side failed")
