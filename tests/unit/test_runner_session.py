"""The block loop with a fake in place of a trial: turns, repetitions, departures, and resuming."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest

from bench.model.cases import Case, Experiment, Stopping
from bench.model.results import Measurement
from bench.model.trial_outcome import Outcome
from bench.runner.block_loop import run_scheduled_trials
from bench.runner.context import ScheduledTrial
from bench.runner.schedule import replay_trials
from bench.stats.block_order import block_order
from bench.stats.observer import Observer
from bench.stats.stopping_rule import Stop
from tests.builders import case, failed, trials

POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")
NOISY_S = (0.02, 0.03)


def experiment(blocks: int, stopping: Stopping | None = None) -> Experiment:
    """Build an experiment of two cases."""
    return Experiment("x", (POOL, LOOP), {}, blocks, 1, 60, 10, 1, stopping=stopping)


def ended(of: Case, turn: ScheduledTrial, outcome: Outcome = "ok", value: float = 0.02) -> Measurement:
    """Build what a trial at this turn yields."""
    (good,) = trials(of, [value])
    trial = good if outcome == "ok" else failed(of, 0, outcome, "why")
    return replace(trial, block=turn.block, position=turn.position, attempt=turn.attempt)


class Notes(Observer):
    """Notes down which cases stopped, and which blocks ended."""

    def __init__(self) -> None:
        self.stopped: list[tuple[str, Stop]] = []
        self.ended: list[int] = []
        self.kept: list[Measurement] = []
        self.stopped_before: list[Stop] = []

    def run_resumed(self, kept: Sequence[Measurement], stops: Iterable[Stop]) -> None:
        """Note what there was before."""
        self.kept = list(kept)
        self.stopped_before = list(stops)

    def case_stopped(self, case: Case, stop: Stop) -> None:
        """Note a stop."""
        self.stopped.append((case.id, stop))

    def block_ended(self, block: int) -> None:
        """Note a block."""
        self.ended.append(block)


def run(
    of: Experiment,
    measure_one: Callable[[Case, ScheduledTrial], Measurement],
    observer: Observer | None = None,
) -> list[Measurement]:
    """Run to the end without waiting."""
    return run_scheduled_trials(of, measure_one, observer or Observer(), lambda _: None)


def test_every_case_is_run_once_per_block_in_the_blocks_order() -> None:
    """Each at its place."""
    notes = Notes()
    measured = run(experiment(5), ended, notes)
    assert [(trial.block, trial.position, trial.case) for trial in measured] == [
        (block, position, case_id)
        for block in range(5)
        for position, case_id in enumerate(block_order([POOL.id, LOOP.id], 1, block))
    ]
    assert notes.ended == [0, 1, 2, 3, 4]


def test_an_invalid_trial_is_repeated_after_pauses_that_grow() -> None:
    """Three times at once, before the next case; all four attempts are kept."""
    pauses: list[float] = []
    measured = run_scheduled_trials(
        experiment(1),
        lambda of, turn: ended(of, turn, "invalid" if of == POOL else "ok"),
        Observer(),
        pauses.append,
    )
    assert pauses == [0.25, 0.5, 1.0]
    spoilt = [trial for trial in measured if trial.case == POOL.id]
    assert [trial.attempt for trial in spoilt] == [0, 1, 2, 3]
    first = measured.index(spoilt[0])
    assert measured[first : first + 4] == spoilt


def test_a_trial_that_recovers_counts() -> None:
    """Its second attempt is the last, and the case is not struck."""
    measured = run(experiment(6), lambda of, turn: ended(of, turn, "invalid" if turn.attempt == 0 else "ok"))
    assert [trial.attempt for trial in measured] == [0, 1] * 12


def test_a_case_that_stays_invalid_is_given_up_after_three_trials() -> None:
    """Twelve attempts; the other case has all its blocks."""
    notes = Notes()
    measured = run(experiment(5), lambda of, turn: ended(of, turn, "invalid" if of == POOL else "ok"), notes)
    assert [trial.case for trial in measured].count(POOL.id) == 12
    assert [trial.case for trial in measured].count(LOOP.id) == 5
    assert notes.stopped[0] == (POOL.id, Stop("given up", 3, None))


def test_a_quiet_case_leaves_early_and_a_noisy_one_stays() -> None:
    """Eight blocks are enough for one; the other is run to the last."""
    notes = Notes()
    measured = run(
        experiment(16, Stopping(8, 0.03, None)),
        lambda of, turn: ended(of, turn, value=0.02 if of == POOL else NOISY_S[turn.block % 2]),
        notes,
    )
    blocks = {each.id: [trial.block for trial in measured if trial.case == each.id] for each in (POOL, LOOP)}
    assert blocks == {POOL.id: [*range(8)], LOOP.id: [*range(16)]}
    assert [(case_id, stop.reason) for case_id, stop in notes.stopped] == [
        (POOL.id, "precise"),
        (LOOP.id, "blocks"),
    ]
    assert notes.ended == [*range(16)]


def test_a_run_without_a_running_case_ends() -> None:
    """Both are given up in the third block."""
    notes = Notes()
    measured = run(experiment(9), lambda of, turn: ended(of, turn, "crash"), notes)
    assert len(measured) == 6
    assert notes.ended == [0, 1, 2]


@pytest.mark.parametrize("done", [0, 1, 5, 18, 19, 25])
def test_a_run_goes_on_where_its_journal_ends(done: int) -> None:
    """Within a block, within the attempts of a trial, after a case has left: the same trials follow."""

    def measure_one(of: Case, turn: ScheduledTrial) -> Measurement:
        is_spoilt = of == POOL and turn.block == 2 and turn.attempt < 2
        value = 0.02 if of == POOL else NOISY_S[turn.block % 2]
        return ended(of, turn, "invalid" if is_spoilt else "ok", value)

    whole = run(experiment(16, Stopping(8, 0.03, None)), measure_one)
    again, notes = experiment(16, Stopping(8, 0.03, None)), Notes()
    rest = run_scheduled_trials(again, measure_one, notes, lambda _: None, whole[:done])
    assert whole[:done] + rest == whole
    assert notes.kept == whole[:done]
    stops = notes.stopped_before + [stop for _, stop in notes.stopped]
    assert stops == [*replay_trials(again, whole).stops.values()]
