"""The schedule of an experiment: its trials in the order in which they are due, alone or in pairs.

The block loop follows it; a run is resumed by replaying its journal against it. Blocks are complete and
randomised: every case runs once per block, in an order of the block's own, so that the machine's drift falls
on all cases alike instead of on those that happen to come last (Fisher, *The Design of Experiments*).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain
from typing import TypeAlias

from bench.errors import UnreadableResultError
from bench.model.cases import Case, Experiment
from bench.model.observer import Stop
from bench.model.results import Measurement
from bench.stats.comparison_state import ComparisonState
from bench.stats.run_state import RunState, StoppingRule, stopping_rule


@dataclass(frozen=True, slots=True)
class ScheduledTrial:
    """One case in one block.

    Attributes:
        position: place in the block's order, from 0.
        attempt: number of attempts that were invalid before.
    """

    case: Case
    block: int
    position: int
    attempt: int = 0

    def matches(self, measurement: Measurement) -> bool:
        """Return whether a measurement is one of this trial."""
        return (self.case.id, self.block, self.position, self.attempt) == (
            measurement.case,
            measurement.block,
            measurement.position,
            measurement.attempt,
        )


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """The trials that are measured together: one, or the two of a pair in the order of their start.

    Attributes:
        case: id of the case, that of a pair without a variant.
    """

    case: str
    trials: tuple[ScheduledTrial, ...]

    @property
    def block(self) -> int:
        """Block of all its trials."""
        return self.trials[0].block

    @property
    def attempt(self) -> int:
        """Number of attempts that were invalid before."""
        return self.trials[0].attempt

    def matches(self, measurements: Sequence[Measurement]) -> bool:
        """Return whether measurements, in the order in which they were made, are those of this entry."""
        return len(measurements) == len(self.trials) and all(
            trial.matches(each) for trial, each in zip(self.trials, measurements, strict=True)
        )


ScheduleState: TypeAlias = RunState | ComparisonState
"""Decides from the trials so far which cases are due: the rule of a run, or the test of a comparison."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The entries of an experiment that are still due.

    Attributes:
        groups: the cases that are measured together, by the id of their entries.
        kept: trials from before the run was resumed.
        ahead: those of them whose blocks machines of a cluster finished before an earlier block, by block.
    """

    experiment: Experiment
    groups: Mapping[str, tuple[Case, ...]]
    state: ScheduleState
    kept: tuple[Measurement, ...] = ()
    ahead: Mapping[int, tuple[Measurement, ...]] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether nothing is due any more."""
        return not self.state.due

    def entries(self) -> Iterator[ScheduleEntry]:
        """Yield each entry when it is due.

        The state must count the trials of an entry before the next one is asked for: one that is to be
        repeated comes again at once. A coin of the block's and the case's own decides which trial of a pair
        starts first.
        """
        state, comparison = self.state, self.experiment.comparison
        while state.due:
            block = state.blocks
            for place, name in enumerate(block_order(self.groups, self.experiment.seed, block)):
                cases = {case.id: case for case in self.groups[name]}
                ids = cases if comparison is None else block_order(cases, comparison.coins, block)
                first = place * len(cases)
                while state.blocks == block and name in state.due:
                    trials = (
                        ScheduledTrial(cases[case_id], block, position, state.due[name])
                        for position, case_id in enumerate(ids, first)
                    )
                    yield ScheduleEntry(name, tuple(trials))


def new_schedule(experiment: Experiment) -> Schedule:
    """Return the schedule of an experiment before its first trial."""
    if experiment.comparison is not None:
        groups = variants_of(experiment.cases)
        return Schedule(experiment, groups, ComparisonState(groups, experiment.comparison))
    groups = {case.id: (case,) for case in experiment.cases}
    state = RunState(groups, stopping_rule(experiment.blocks, experiment.stopping))
    return Schedule(experiment, groups, state)


def block_schedule(experiment: Experiment, block: int, cases: Iterable[str]) -> Schedule:
    """Return the schedule of these cases in one block of a run, which a machine of a cluster measures.

    Order and positions are those of the whole run.
    """
    groups = {case.id: (case,) for case in experiment.cases}
    return Schedule(experiment, groups, RunState(cases, StoppingRule((block + 1,)), block))


def count_block(
    schedule: Schedule, trials: Sequence[Measurement]
) -> tuple[list[Measurement], Mapping[str, Stop]]:
    """Count the trials of a whole block, the next one, and return those that count and the cases that stop.

    A machine began the block when earlier ones were not over, so it may have cases that have stopped
    meanwhile: their trials are left out, as if the machines had measured one after the other.

    Raises:
        UnreadableResultError: the block lacks a case that is due.
    """
    state = schedule.state
    block = state.blocks
    counted: list[Measurement] = []
    stops: dict[str, Stop] = {}
    for trial in trials:
        if trial.block == state.blocks and trial.case in state.due:
            counted.append(trial)
            stops |= state.add(trial)
    if state.blocks == block:
        raise UnreadableResultError(
            f"block {block + 1} lacks {', '.join(state.due)}", hint="resume the run with the config as it was"
        )
    return counted, stops


def check_block(experiment: Experiment, block: int, trials: Sequence[Measurement]) -> None:
    """Refuse trials that are not those of some cases in one whole block, in its order.

    Raises:
        UnreadableResultError: one is missing, or was not due when it came.
    """
    schedule = block_schedule(experiment, block, dict.fromkeys(trial.case for trial in trials))
    entries = schedule.entries()
    for trial in trials:
        entry = next(entries, None)
        if entry is None or not entry.matches([trial]):
            raise _unscheduled(f"trial of {trial.case}", block)
        schedule.state.add(trial)
    if not schedule.is_over:
        raise _unscheduled(f"missing trial of {next(iter(schedule.state.due))}", block)


def variants_of(cases: Sequence[Case]) -> Mapping[str, tuple[Case, ...]]:
    """Return both variants of each case, by its id without a variant."""
    names = dict.fromkeys(case.plain_id for case in cases)
    return {name: tuple(case for case in cases if case.plain_id == name) for name in names}


def replay(experiment: Experiment, trials: Sequence[Measurement]) -> Schedule:
    """Return the schedule of an experiment after the trials of its journal.

    Drop the first trial of a pair whose second trial was lost: both are due again.

    The blocks of machines of a cluster may have ended in any order.

    Raises:
        UnreadableResultError: a trial was not due when it came.
    """
    if any(trial.machine for trial in trials):
        return _replay_blocks(experiment, trials)
    schedule = new_schedule(experiment)
    entries = schedule.entries()
    kept: list[Measurement] = []
    number = 0
    while number < len(trials):
        trial = trials[number]
        entry = next(entries, None)
        if entry is None or not entry.trials[0].matches(trial):
            raise _unscheduled(f"trial {number} of the journal ({trial.case}", trial.block, ")")
        measured = trials[number : number + len(entry.trials)]
        if entry.matches(measured):
            schedule.state.add(*measured)
            kept += measured
            number += len(measured)
        else:
            number += 1
    return replace(schedule, kept=tuple(kept))


def _replay_blocks(experiment: Experiment, trials: Sequence[Measurement]) -> Schedule:
    """Count the blocks that have none missing before them; keep the others for when their turn comes."""
    schedule = new_schedule(experiment)
    blocks: dict[int, list[Measurement]] = {}
    for trial in trials:
        blocks.setdefault(trial.block, []).append(trial)
    kept: list[Measurement] = []
    for block in sorted(blocks):
        check_block(experiment, block, blocks[block])
    while not schedule.is_over and schedule.state.blocks in blocks:
        kept += count_block(schedule, blocks.pop(schedule.state.blocks))[0]
    ahead = {} if schedule.is_over else {block: tuple(blocks[block]) for block in sorted(blocks)}
    return replace(schedule, kept=(*kept, *chain.from_iterable(ahead.values())), ahead=ahead)


def _unscheduled(what: str, block: int, end: str = "") -> UnreadableResultError:
    return UnreadableResultError(
        f"{what}, block {block + 1}{end} does not match the schedule",
        hint="resume the run with the config and the flagbench that wrote it",
    )


def block_order(cases: Iterable[str], seed: int, block: int) -> tuple[str, ...]:
    """Return the cases in the order in which this block runs them.

    Sorting by a keyed hash is a uniform shuffle that is the same on every Python and platform, and
    leaving a case out does not disturb the order of the others: both matter to resuming a run.
    """

    def key(case: str) -> bytes:
        return blake2b(f"{seed}\0{block}\0{case}".encode(), digest_size=16).digest()

    return tuple(sorted(cases, key=key))


def alternation(rounds: int) -> tuple[int, ...]:
    """Return which trial of a pair, 0 or 1, runs each round: ABBA and so on.

    Steady drift over the rounds then falls on both trials alike.
    """
    return tuple(place for number in range(rounds) for place in ((0, 1), (1, 0))[number % 2])
