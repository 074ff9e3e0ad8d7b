"""The number of rounds of a trial, and the job of each."""

from pathlib import Path
from typing import Any

import pytest

from bench.worker.events import EventWriter
from bench.worker.protocol import TimedRound
from bench.worker.trial import build_job, needs_round
from tests.trial import a_task

WARM_UP_S = 9.0
EVENTS = EventWriter(1)


def count_timed_rounds(elapsed_s: float, task: Any) -> int:
    """Count the timed rounds of a trial whose rounds all take the same time."""
    rounds: list[TimedRound] = []
    while needs_round(task, rounds):
        rounds.append(TimedRound(elapsed_s if rounds else WARM_UP_S, {}, 0, ()))
    return len(rounds) - 1


@pytest.fixture
def settings() -> dict[str, Any]:
    """Return the settings that all tasks here share."""
    return {
        "strategy_file": Path("mine.py"),
        "countries": ("BR",),
        "base_url": "http://server/-/t1",
        "reference": Path("flags"),
    }


@pytest.mark.parametrize(
    ("rounds", "elapsed_s", "timed"),
    [
        (None, 0.01, 5),
        (None, 0.2, 3),
        (None, 0.25, 2),
        (None, 3.0, 1),
        (1, 0.1, 1),
        (1, 0.03, 4),
        (2, 0.06, 2),
        (1, 0.001, 20),
        (7, 3.0, 7),
        (30, 0.001, 30),
    ],
)
def test_number_of_timed_rounds_follows_the_task_and_their_duration(
    tmp_path: Path, settings: dict[str, Any], rounds: int | None, elapsed_s: float, timed: int
) -> None:
    """Auto is one to five, until 0.5 s is timed; the warm-up never counts.

    A number is at least as many, and up to twenty until 0.1 s is timed.
    """
    assert count_timed_rounds(elapsed_s, a_task(tmp_path, rounds=rounds, **settings)) == timed


def test_each_round_has_its_own_address_and_folder(tmp_path: Path, settings: dict[str, Any]) -> None:
    """The server tells the rounds apart by their addresses."""
    task = a_task(tmp_path, **settings)
    job = build_job(task, 2, EVENTS)
    assert (job.base_url, job.folder) == ("http://server/-/t1.2", task.folder / "2")
    assert (job.countries, job.watcher) == (("BR",), None)


def test_warm_up_of_a_paced_trial_asks_each_country_once(tmp_path: Path, settings: dict[str, Any]) -> None:
    task = a_task(tmp_path, paced=True, **settings, repeat=7)
    assert [len(build_job(task, number, EVENTS).countries) for number in range(3)] == [1, 7, 7]


def test_live_trial_is_one_watched_round_at_the_address_of_the_task(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    task = a_task(tmp_path, live=True, **settings)
    assert count_timed_rounds(0.01, task) == 0
    job = build_job(task, 0, EVENTS)
    assert (job.base_url, job.folder, job.watcher) == ("http://server/-/t1", task.folder, EVENTS)
