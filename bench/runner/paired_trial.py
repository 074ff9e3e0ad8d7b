"""The workers of a pair: both are alive together, and only one of them runs at a time."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Final

from bench.runner.processes.launcher import Launcher
from bench.runner.processes.worker_exit import WorkerExit
from bench.runner.processes.worker_process import Worker
from bench.stats.schedule import alternation

DEFAULT_ROUNDS: Final = 5
"""Timed rounds of each trial of a pair, unless the config says otherwise."""


def run_pair(
    starts: Sequence[AbstractContextManager[Worker]], rounds: int, launcher: Launcher, keep: Sequence[int]
) -> list[WorkerExit]:
    """Warm two workers up, and alternate their rounds until all are done or one of them fails.

    The waiting worker is paused with SIGSTOP: a thread that it left running would take processor time from
    the other one.

    Args:
        starts: start the workers when they are entered.
        rounds: timed rounds of each.
        launcher: kills the processes that are left.
        keep: processes that it spares.
    """
    workers: list[Worker] = []
    with ExitStack() as stack:
        for start in starts:
            workers.append(stack.enter_context(start))
            workers[-1].wait_for_event()
            workers[-1].pause()
        for place in (0, 1, *alternation(rounds)):
            if not all(worker.is_waiting for worker in workers):
                break
            workers[place].run_round()
            workers[place].pause()
        exits = []
        for worker in workers:
            worker.finish()
            exits.append(worker.end(None))
        launcher.sweep(keep)  # only now: a process that fled from its group may be of either worker
    return exits
