"""The loop of machines with fakes in their place: which blocks they get, what counts, and what is resumed."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from bench.errors import SetupError, UnreadableResultError
from bench.model.cases import Experiment, Stopping
from bench.model.observer import Observer
from bench.model.results import MeasuredBlock, Measurement
from bench.runner.block_loop import run_blocks
from bench.runner.cluster.block_loop import run_blocks_on
from bench.runner.cluster.fleet import Ended
from bench.stats.schedule import block_schedule, new_schedule, replay
from tests.builders import case, failed, trials

POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")

Outcome = Callable[[str, int, int], bool]


def experiment(blocks: int, stopping: Stopping | None = None) -> Experiment:
    return Experiment("x", (POOL, LOOP), {}, blocks, 1, 60, 10, 1, stopping=stopping)


def always_ok(_case: str, _block: int, _attempt: int) -> bool:
    return True


def block_of(
    of: Experiment, label: str, block: int, cases: Sequence[str], is_ok: Outcome = always_ok
) -> tuple[Measurement, ...]:
    """Measure a block as a machine does, with fakes for the trials."""

    def measure(entry: object) -> list[Measurement]:
        (due,) = entry.trials  # type: ignore[attr-defined]
        (good,) = trials(due.case, [0.02])
        ok = is_ok(due.case.id, due.block, due.attempt)
        trial = good if ok else failed(due.case, 0, "crash", "why")
        return [replace(trial, block=due.block, position=due.position, attempt=due.attempt, machine=label)]

    schedule = block_schedule(of, block, cases)
    return tuple(run_blocks(schedule, measure, lambda *_: None, Observer(), lambda _: None))


class Machines:
    """Machines of which the script says who ends next, as ``M1``, or dies, as ``-M1``."""

    def __init__(
        self, of: Experiment, labels: Sequence[str], script: Sequence[str], is_ok: Outcome = always_ok
    ) -> None:
        self.experiment = of
        self.machines: dict[str, object] = dict.fromkeys(labels)
        self.running: dict[str, int] = {}
        self.started: list[tuple[str, int, tuple[str, ...]]] = []
        self.is_cancelled = False
        self._cases: dict[str, tuple[str, ...]] = {}
        self._script = [*script]
        self._is_ok = is_ok

    def idle(self) -> list[str]:
        """Return those without a block."""
        return [label for label in self.machines if label not in self.running]

    def start(self, label: str, block: int, cases: Sequence[str]) -> None:
        """Note the block."""
        self.running[label] = block
        self._cases[label] = tuple(cases)
        self.started.append((label, block, tuple(cases)))

    def wait(self, _seconds: float) -> list[Ended]:
        """End the block that the script names, or else the first one."""
        word = self._script.pop(0) if self._script else next(iter(self.running))
        label = word.removeprefix("-")
        block = self.running.pop(label)
        if word.startswith("-"):
            del self.machines[label]
            return [Ended(label, block, problem="it is gone")]
        return [Ended(label, block, block_of(self.experiment, label, block, self._cases[label], self._is_ok))]

    def cancel(self) -> None:
        """Note that what still runs is not needed."""
        self.is_cancelled = True


def run(machines: Machines, before: Sequence[Measurement] = ()) -> tuple[list[MeasuredBlock], list[str]]:
    """Run to the end; return the recorded blocks and the notes."""
    recorded: list[MeasuredBlock] = []
    notes: list[str] = []
    run_blocks_on(machines, replay(machines.experiment, before), recorded.append, Observer(), notes.append)
    return recorded, notes


def flat(blocks: Sequence[MeasuredBlock]) -> list[Measurement]:
    return [trial for block in blocks for trial in block.trials]


def test_each_machine_gets_the_next_block_when_it_has_ended_one() -> None:
    machines = Machines(experiment(5), ["M1", "M2"], ["M2", "M2", "M1", "M2", "M1"])
    recorded, _ = run(machines)
    assert [(label, block) for label, block, _ in machines.started] == [
        ("M1", 0),
        ("M2", 1),
        ("M2", 2),
        ("M2", 3),
        ("M1", 4),
    ]
    assert [block.trials[0].block for block in recorded] == [1, 2, 0, 3, 4]
    assert all({trial.machine for trial in block.trials} in ({"M1"}, {"M2"}) for block in recorded)


def test_blocks_that_ended_in_any_order_count_as_if_in_order() -> None:
    of = experiment(5)
    recorded, _ = run(Machines(of, ["M1", "M2"], ["M2", "M2", "M1", "M2", "M1"]))
    schedule = replay(of, flat(recorded))
    assert schedule.is_over
    assert [trial.block for trial in schedule.kept] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert schedule.ahead == {}


def test_the_block_of_a_machine_that_is_lost_goes_to_another_one_as_a_whole() -> None:
    machines = Machines(experiment(3), ["M1", "M2"], ["-M1", "M2", "M2", "M2"])
    recorded, notes = run(machines)
    assert [(label, block) for label, block, _ in machines.started] == [
        ("M1", 0),
        ("M2", 1),
        ("M2", 0),
        ("M2", 2),
    ]
    assert {case for _, block, cases in machines.started if block == 0 for case in cases} == {
        POOL.id,
        LOOP.id,
    }
    assert len(recorded) == 3
    assert notes == ["warning: M1: it is gone; its block 1 is due again"]


def test_without_any_machine_the_run_ends_and_what_it_has_is_recorded() -> None:
    machines = Machines(experiment(3), ["M1", "M2"], ["M2", "-M1", "-M2"])
    recorded: list[MeasuredBlock] = []
    with pytest.raises(SetupError, match="no machine of the cluster is left: M2: it is gone"):
        run_blocks_on(
            machines, new_schedule(machines.experiment), recorded.append, Observer(), lambda _: None
        )
    assert [block.trials[0].block for block in recorded] == [1]


def test_a_resumed_run_measures_only_what_is_missing() -> None:
    of = experiment(4)
    before = [*block_of(of, "M2", 3, [POOL.id, LOOP.id]), *block_of(of, "M1", 1, [POOL.id, LOOP.id])]
    schedule = replay(of, before)
    assert (schedule.state.blocks, sorted(schedule.ahead), len(schedule.kept)) == (0, [1, 3], 4)
    machines = Machines(of, ["M1"], [])
    recorded, _ = run(machines, before)
    assert [block for _, block, _ in machines.started] == [0, 2]
    assert replay(of, [*before, *flat(recorded)]).is_over


def test_a_case_that_stops_is_left_out_of_blocks_that_were_begun_before() -> None:
    """It is given up after three crashes; the trial of it in the fourth block does not count."""

    def is_ok(case_id: str, _block: int, _attempt: int) -> bool:
        return case_id != POOL.id

    of = experiment(6)
    machines = Machines(of, ["M1", "M2"], ["M2", "M1", "M2", "M1"], is_ok)
    recorded, _ = run(machines)
    begun_with_both = [block for _, block, cases in machines.started if len(cases) == 2]
    assert begun_with_both == [0, 1, 2, 3]
    schedule = replay(of, flat(recorded))
    assert schedule.is_over
    assert [trial.block for trial in schedule.kept if trial.case == POOL.id] == [0, 1, 2]
    assert [trial.block for trial in schedule.kept if trial.case == LOOP.id] == [0, 1, 2, 3, 4, 5]


def test_blocks_beyond_the_end_of_a_run_are_cancelled_and_do_not_count() -> None:
    of = experiment(50, Stopping(6, 0.5, None))
    machines = Machines(of, ["M1", "M2"], ["M1", "M2"] * 3)
    recorded, _ = run(machines)
    assert machines.is_cancelled
    assert len(recorded) == 6
    assert replay(of, flat(recorded)).is_over


@pytest.mark.parametrize("lost", [0, 1])
def test_half_a_block_is_refused(lost: int) -> None:
    of = experiment(2)
    whole = [*block_of(of, "M1", 0, [POOL.id, LOOP.id])]
    del whole[lost]
    with pytest.raises(UnreadableResultError):
        replay(of, whole)


def test_a_block_that_is_there_twice_is_refused() -> None:
    of = experiment(2)
    with pytest.raises(UnreadableResultError, match="does not match the schedule"):
        replay(of, [*block_of(of, "M1", 0, [POOL.id, LOOP.id])] * 2)
