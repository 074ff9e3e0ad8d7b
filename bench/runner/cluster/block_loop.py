"""The loop of a run on machines of a cluster: gives each of them a block, and counts the blocks in order.

Machines may finish blocks in any order. They count in the order of their numbers, so a run on a cluster stops
for the same reasons as any other, and a resumed one goes on as if it had not been interrupted.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Final, Protocol

from bench.errors import SetupError
from bench.model.observer import Observer
from bench.model.results import MeasuredBlock, Measurement
from bench.runner.cluster.fleet import Ended
from bench.stats.schedule import Schedule, check_block, count_block

_DRAW_EVERY_S: Final = 1.0


class Machines(Protocol):
    """What the loop needs of a ``Fleet``; its methods are explained there."""

    @property
    def machines(self) -> Mapping[str, object]:
        """Those that can measure, by label."""

    @property
    def running(self) -> Mapping[str, int]:
        """The block that each busy machine measures."""

    def idle(self) -> list[str]:
        """Return the machines that wait for a block."""

    def start(self, label: str, block: int, cases: Sequence[str]) -> None:
        """Have a machine measure a block."""

    def wait(self, seconds: float) -> list[Ended]:
        """Return the blocks that have ended."""

    def cancel(self) -> None:
        """End the blocks that are measured."""


def run_blocks_on(
    machines: Machines,
    schedule: Schedule,
    record: Callable[[MeasuredBlock], None],
    observer: Observer,
    note: Callable[[str], None],
) -> list[Measurement]:
    """Have machines measure the blocks that are due until none is, and return their measurements.

    A block whose machine is lost is measured as a whole by another one; what it had measured is dropped.

    Args:
        machines: those that can measure.
        schedule: holds the trials that are due.
        record: makes a block durable; called before anything else follows.
        observer: is told about every block and trial, once the block has ended.
        note: prints a line about a machine that is lost.

    Raises:
        SetupError: no machine is left; every whole block so far is recorded.
    """
    state, experiment = schedule.state, schedule.experiment
    ahead = dict(schedule.ahead)
    measured: list[Measurement] = []
    observer.run_started(experiment, schedule.kept, dict(state.stops))
    observer.metrics_changed(state.metrics, state.spent_s)
    problem = ""
    while not schedule.is_over:
        for label, block in zip(machines.idle(), _blocks_to_start(schedule, ahead, machines), strict=False):
            cases = [case for case in schedule.groups if case not in state.stops]
            machines.start(label, block, cases)
        if not machines.machines:
            raise SetupError(
                f"no machine of the cluster is left{problem and f': {problem}'}",
                hint="look at its dask worker",
            )
        observer.trial_started(_describe(machines.running), state.blocks)
        for ended in machines.wait(_DRAW_EVERY_S):
            if ended.problem or ended.block is None:
                problem = f"{ended.label}: {ended.problem}"
                due = "" if ended.block is None else f"; its block {ended.block + 1} is due again"
                note(f"warning: {problem}{due}")
                continue
            check_block(experiment, ended.block, ended.trials)
            record(MeasuredBlock(ended.trials))
            ahead[ended.block] = ended.trials
            measured += ended.trials
            for trial in ended.trials:
                observer.trial_ended(trial)
            observer.block_ended(ended.block, ended.label)
            _count(schedule, ahead, observer)
    machines.cancel()  # blocks that are not needed any more
    return measured


def _blocks_to_start(
    schedule: Schedule, ahead: dict[int, tuple[Measurement, ...]], machines: Machines
) -> Iterator[int]:
    """Yield the blocks that nobody has measured or measures, the first one first."""
    busy = {*ahead, *machines.running.values()}
    for block in count(schedule.state.blocks):
        if block >= schedule.experiment.blocks:
            return
        if block not in busy:
            yield block


def _count(schedule: Schedule, ahead: dict[int, tuple[Measurement, ...]], observer: Observer) -> None:
    """Count the blocks that have none missing before them."""
    state = schedule.state
    while not schedule.is_over and state.blocks in ahead:
        for case, stop in count_block(schedule, ahead.pop(state.blocks))[1].items():
            observer.case_stopped(case, stop)
    observer.metrics_changed(state.metrics, state.spent_s)


def _describe(running: Mapping[str, int]) -> str:
    """Say which machine measures which block."""
    return " · ".join(f"{label}: block {block + 1}" for label, block in running.items()) or "no machine"
