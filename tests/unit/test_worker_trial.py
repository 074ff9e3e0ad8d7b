"""The number of rounds of a trial, and the job of each."""

import os
from pathlib import Path
from typing import Any

import pytest

from bench.worker.events import Awaiting, EventWriter, read_event
from bench.worker.protocol import TimedRound
from bench.worker.trial import build_job, is_round_due, needs_round
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


def test_each_call_asks_for_the_countries_of_the_config_as_often_as_it_says(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    task = a_task(tmp_path, paced=True, **settings, repeat=7, calls=2)
    assert [len(build_job(task, number, EVENTS).countries) for number in range(3)] == [7, 7, 7]


def test_paced_task_waits_before_each_round_and_not_between_its_calls(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    """After the warm-up, which is one call, each round has three."""
    read, write = os.pipe()
    commands, commander = os.pipe()
    task = a_task(tmp_path, paced=True, **settings, calls=3)
    os.write(commander, b"\n" * 3)
    os.close(commander)
    calls: list[TimedRound] = []
    while is_round_due(task, calls, EventWriter(write), commands):
        calls.append(TimedRound(0.01, {}, 0, ()))
    os.close(write)
    waits = [read_event(line) for line in os.read(read, 65536).splitlines()]
    os.close(read)
    os.close(commands)
    assert len(calls) == 1 + 2 * 3
    assert waits == [Awaiting(0), Awaiting(1), Awaiting(2), Awaiting(3)]


def test_live_trial_is_one_watched_round_at_the_address_of_the_task(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    task = a_task(tmp_path, live=True, **settings)
    assert count_timed_rounds(0.01, task) == 0
    job = build_job(task, 0, EVENTS)
    assert (job.base_url, job.folder, job.watcher) == ("http://server/-/t1", task.folder, EVENTS)
