"""The block loop with a fake in place of a trial: order, retries, stops, and resuming."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from bench.model.cases import Experiment, Stopping
from bench.model.observer import Observer, Stop
from bench.model.results import Measurement
from bench.model.trial_outcome import Outcome
from bench.runner.block_loop import run_blocks
from bench.stats.schedule import Schedule, ScheduledTrial, ScheduleEntry, block_order, new_schedule, replay
from tests.builders import case, failed, trials

POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")
NOISY_S = (0.02, 0.03)

Fake = Callable[[ScheduledTrial], Measurement]


def experiment(blocks: int, stopping: Stopping | None = None) -> Experiment:
    return Experiment("x", (POOL, LOOP), {}, blocks, 1, 60, 10, 1, stopping=stopping)


def ended(of: ScheduledTrial, outcome: Outcome = "ok", value: float = 0.02) -> Measurement:
    """Build the measurement of a scheduled trial."""
    (good,) = trials(of.case, [value])
    trial = good if outcome == "ok" else failed(of.case, 0, outcome, "why")
    return replace(trial, block=of.block, position=of.position, attempt=of.attempt)


class Notes(Observer):
    """Notes the stops and blocks that it is told about."""

    def __init__(self) -> None:
        self.stopped: list[tuple[str, Stop]] = []
        self.ended: list[int] = []
        self.kept: list[Measurement] = []
        self.stopped_before: list[Stop] = []

    def run_started(
        self, _experiment: Experiment, kept: Sequence[Measurement], stops: Mapping[str, Stop]
    ) -> None:
        """Note the trials and stops of a resumed run."""
        self.kept = list(kept)
        self.stopped_before = list(stops.values())

    def case_stopped(self, case: str, stop: Stop) -> None:
        """Note a stop."""
        self.stopped.append((case, stop))

    def block_ended(self, block: int, machine: str = "") -> None:  # noqa: ARG002  of no cluster
        """Note a block."""
        self.ended.append(block)


def run(
    schedule: Schedule,
    fake: Fake = ended,
    observer: Observer | None = None,
    pause: Callable[[float], None] = lambda _: None,
) -> list[Measurement]:
    def measure(entry: ScheduleEntry) -> list[Measurement]:
        return [fake(trial) for trial in entry.trials]

    return run_blocks(schedule, measure, lambda *_: None, observer or Observer(), pause)


def invalid_pool(of: ScheduledTrial) -> Measurement:
    return ended(of, "invalid" if of.case == POOL else "ok")


def test_every_case_is_run_once_per_block_in_the_order_of_the_block() -> None:
    notes = Notes()
    measured = run(new_schedule(experiment(5)), observer=notes)
    assert [(trial.block, trial.position, trial.case) for trial in measured] == [
        (block, position, case_id)
        for block in range(5)
        for position, case_id in enumerate(block_order([POOL.id, LOOP.id], 1, block))
    ]
    assert notes.ended == [0, 1, 2, 3, 4]


def test_each_measurement_is_recorded_before_the_next_trial_starts() -> None:
    journal: list[Measurement] = []
    recorded_before = []

    def measure(entry: ScheduleEntry) -> list[Measurement]:
        recorded_before.append(len(journal))
        return [ended(trial) for trial in entry.trials]

    def record(*measurements: Measurement) -> None:
        journal.extend(measurements)

    measured = run_blocks(new_schedule(experiment(2)), measure, record, Observer(), lambda _: None)
    assert recorded_before == [0, 1, 2, 3]
    assert journal == measured


def test_an_invalid_trial_is_retried_at_once_after_growing_pauses() -> None:
    pauses: list[float] = []
    measured = run(new_schedule(experiment(1)), invalid_pool, pause=pauses.append)
    assert pauses == [0.25, 0.5, 1.0]
    attempts = [trial for trial in measured if trial.case == POOL.id]
    assert [trial.attempt for trial in attempts] == [0, 1, 2, 3]
    first = measured.index(attempts[0])
    assert measured[first : first + 4] == attempts


def test_a_trial_that_succeeds_at_its_second_attempt_counts() -> None:
    measured = run(new_schedule(experiment(6)), lambda of: ended(of, "invalid" if of.attempt == 0 else "ok"))
    assert [trial.attempt for trial in measured] == [0, 1] * 12


def test_a_case_is_given_up_after_three_trials_that_stay_invalid() -> None:
    notes = Notes()
    measured = run(new_schedule(experiment(5)), invalid_pool, notes)
    assert [trial.case for trial in measured].count(POOL.id) == 12
    assert [trial.case for trial in measured].count(LOOP.id) == 5
    assert notes.stopped[0] == (POOL.id, Stop("given up", 3, None))


def test_a_precise_case_stops_early_and_a_noisy_one_goes_on() -> None:
    notes = Notes()
    measured = run(
        new_schedule(experiment(16, Stopping(8, 0.03, None))),
        lambda of: ended(of, value=0.02 if of.case == POOL else NOISY_S[of.block % 2]),
        notes,
    )
    blocks = {each.id: [trial.block for trial in measured if trial.case == each.id] for each in (POOL, LOOP)}
    assert blocks == {POOL.id: [*range(8)], LOOP.id: [*range(16)]}
    assert [(case_id, stop.reason) for case_id, stop in notes.stopped] == [
        (POOL.id, "precise"),
        (LOOP.id, "blocks"),
    ]
    assert notes.ended == [*range(16)]


def test_a_run_ends_when_every_case_is_given_up() -> None:
    notes = Notes()
    measured = run(new_schedule(experiment(9)), lambda of: ended(of, "crash"), notes)
    assert len(measured) == 6
    assert notes.ended == [0, 1, 2]


@pytest.mark.parametrize("done", [0, 1, 5, 18, 19, 25])
def test_a_resumed_run_continues_where_its_journal_ends(done: int) -> None:
    """Within a block, between attempts of a trial, and after a case has stopped."""

    def fake(of: ScheduledTrial) -> Measurement:
        is_disturbed = of.case == POOL and of.block == 2 and of.attempt < 2
        value = 0.02 if of.case == POOL else NOISY_S[of.block % 2]
        return ended(of, "invalid" if is_disturbed else "ok", value)

    of, notes = experiment(16, Stopping(8, 0.03, None)), Notes()
    whole = run(new_schedule(of), fake)
    rest = run(replay(of, whole[:done]), fake, notes)
    assert whole[:done] + rest == whole
    assert notes.kept == whole[:done]
    stops = notes.stopped_before + [stop for _, stop in notes.stopped]
    assert stops == [*replay(of, whole).state.stops.values()]
