"""What is said while a run goes on that may end early: repetitions, departures, the time left."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from bench.model.cases import Experiment, Stopping
from bench.report.progress import PlainProgress
from bench.report.progress_state import ProgressState
from bench.stats.stopping_rule import Stop
from tests.builders import case, failed, trials

SLOW = case("processpool_map", workers=5)
POOL = case("threadpool_as_completed", workers=20)
LOOP = case("asyncio_gather", "aiohttp", workers=20)


class Clock:
    """A clock that is set by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        """Return the time that was set."""
        return self.now_s


def test_a_repeated_trial_counts_once() -> None:
    """However often it was tried."""
    race = ProgressState(Clock())
    race.start(Experiment("x", (LOOP,), {}, 2, None, 60, 10, 1))
    spoilt = failed(LOOP, 0, "invalid", "the server was late")
    race.add(spoilt)
    race.add(replace(spoilt, attempt=1))
    race.add(replace(trials(LOOP, [0.02])[0], attempt=2))
    assert (race.done, race.trials) == (1, 2)


@pytest.mark.parametrize(
    ("budget_s", "left_s"), [(None, 620.0), (100.0, 90.0), (25.0, 30.0), (1.0, 30.0), (9999.0, 620.0)]
)
def test_the_race_expects_the_budget_to_end_it_but_not_before_the_least_of_blocks(
    budget_s: float | None, left_s: float
) -> None:
    """One trial took ten seconds: 62 more at the most, three for certain."""
    clock = Clock()
    race = ProgressState(clock)
    race.start(Experiment("x", (LOOP,), {}, 63, None, 60, 10, 1, stopping=Stopping(4, 0.03, budget_s)))
    clock.now_s = 10.0
    race.add(trials(LOOP, [0.02])[0])
    assert race.left_s() == pytest.approx(left_s)


def test_a_resumed_race_goes_at_the_pace_of_its_new_trials() -> None:
    """What was kept counts as done and spent; the time until it was resumed is not known."""
    clock = Clock()
    race = ProgressState(clock)
    race.start(Experiment("x", (LOOP,), {}, 20, None, 60, 10, 1, stopping=Stopping(4, 0.03, 50.0)))
    kept = [replace(trial, took_s=5.0) for trial in trials(LOOP, [0.02] * 8)]
    race.resume(kept, [])
    assert (race.done, race.left_s()) == (8, None)
    clock.now_s = 2.0
    race.add(trials(LOOP, [0.02])[0])
    assert race.left_s() == pytest.approx(50.0 - 40.0 - 2.0)


def plain_progress(experiment: Experiment) -> tuple[PlainProgress, io.StringIO]:
    """Return a started progress and where it writes."""
    stream = io.StringIO()
    progress = PlainProgress(Console(file=stream, width=200), ProgressState(Clock()))
    progress.run_started(experiment)
    return progress, stream


def test_progress_says_what_is_repeated_and_who_leaves() -> None:
    """One line each; who only ends with the run is named after it."""
    progress, stream = plain_progress(
        Experiment("x", (LOOP, POOL), {}, 64, None, 60, 10, 1, stopping=Stopping(8, 0.03, None))
    )
    spoilt = failed(LOOP, 0, "invalid", "the server was late")
    progress.trial_ended(spoilt)
    progress.trial_ended(replace(spoilt, attempt=3))
    progress.block_ended(0)
    progress.case_stopped(LOOP, Stop("given up", 3, None))
    progress.case_stopped(POOL, Stop("precise", 11, 0.0213))
    progress.case_stopped(SLOW, Stop("blocks", 64, 0.05))
    assert stream.getvalue().splitlines() == [
        f"{LOOP.id}, block 1: invalid: the server was late; it is repeated",
        f"{LOOP.id}, block 1: invalid: the server was late",
        "block 1 of up to 64: 1 of up to 128 trials; leader: none yet",
        f"{LOOP.id}: given up after 3 blocks",
        f"{POOL.id}: precise enough after 11 blocks (±2.1%)",
    ]
