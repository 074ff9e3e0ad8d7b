"""Both sides of a case in one block: two workers, alive together, of which only one is at work at a time."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import Final

from bench.model.cases import Case
from bench.model.results import Measurement
from bench.runner.flagserver import RunningServer
from bench.runner.observing import observed
from bench.runner.site import Site, Turn
from bench.runner.staging import Staged, stage
from bench.runner.trial import Ending
from bench.runner.worker import Worker, started
from bench.stats.block_order import alternation

ROUNDS: Final = 5
"""Timed rounds of each side, unless the config says otherwise."""


def measure_duet(
    site: Site, server: RunningServer, cases: Sequence[Case], turn: Turn
) -> tuple[Measurement, ...]:
    """Run the trials of two variants of a case side by side, the first of them first.

    They take two positions of the block, that of the turn and the next.

    Raises:
        ServerDiedError: the flag server is gone; whatever the workers said is then worth nothing.
    """
    rounds = site.experiment.rounds or ROUNDS
    trials = [
        stage(site, server, case, replace(turn, position=turn.position + place), paced=True)
        for place, case in enumerate(cases)
    ]
    endings: list[Ending] = []

    def run() -> Sequence[Ending]:
        endings.extend(_run(site, server, trials, rounds))
        return endings

    measured = observed(site, server, trials, run)
    return tuple(
        _excused(measurement) if _was_cut_short(ending, rounds) else _shared(measurement)
        for measurement, ending in zip(measured, endings, strict=True)
    )


def _run(site: Site, server: RunningServer, trials: Sequence[Staged], rounds: int) -> list[Ending]:
    """Warm both up, and let them do their rounds in turns, until all are done or one of them fails.

    Whoever waits is stopped: a thread that it left running would take its time from the other one.
    """
    workers: list[Worker] = []
    endings: list[Ending] = []
    with ExitStack() as stack:
        for trial in trials:
            workers.append(stack.enter_context(_started(site, trial)))
            workers[-1].hear()
            workers[-1].rest()
        for place in (0, 1, *alternation(rounds)):
            if not all(worker.waits for worker in workers):
                break
            workers[place].go_on()
            workers[place].rest()
        for worker in workers:
            worker.stop()
            endings.append(worker.end(None))
        # what has fled from its group is of either side: nobody could say of which
        site.launcher.sweep((server.child.pid,))
    return endings


def _started(site: Site, trial: Staged) -> AbstractContextManager[Worker]:
    return started(
        site.launcher,
        trial.task,
        site.experiment.deadline_s,
        cores=site.pinning.worker,
        side=trial.side,
        peaks=trial.peaks,
    )


def _was_cut_short(ending: Ending, rounds: int) -> bool:
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
