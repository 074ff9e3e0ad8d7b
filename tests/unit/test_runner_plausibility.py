"""Reports that a strategy may have forged: what cannot be recorded is refused."""

from dataclasses import replace
from typing import Any

import pytest

from bench.model.json_codec import MalformedError
from bench.model.served_trials import ObservedRound
from bench.runner.processes.worker_exit import WorkerExit
from bench.runner.validate import implausible_times, validate_report
from bench.worker.protocol import Holdings, Report, TimedRound
from bench.worker.timeline import Timeline
from tests.builders import witness

TIMES = Timeline(100.0, 0.1, 0.2, 0.1, 100.1, 100.2, 100.3)
ROUND = TimedRound(0.5, {"ok": 3}, 3, (), TIMES, {"20500": 3}, {"cpu_user_s": 0.1})
REPORT = Report("ok", "", 99.0, 99.5, (ROUND, ROUND), Holdings(0, 0))
SEEN = ObservedRound(witness(), 100.0, 100.1, 3, 0.6, 0.0, 0.01, arriving_s=0.4)
ENDING = WorkerExit(
    started_s=10.0,
    report=REPORT,
    status=0,
    in_time=True,
    nonsense="",
    words=(),
    processes_left=0,
    ended_s=12.0,
)


def test_a_report_as_workers_write_it_is_taken() -> None:
    """As it is."""
    assert validate_report(REPORT) is REPORT


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"elapsed_s": 1e300}, "a number that is no time and no count"),
        ({"timeline": replace(TIMES, mean_end_s=-1e300)}, "a number that is no time and no count"),
        ({"verified": 10**400}, "a number that is no time and no count"),
        ({"failures": ("x" * 1001,)}, "a text of 1,001 characters"),
        ({"probes": {"x" * 2000: 0.1}}, "a text of 2,000 characters"),
        ({"fetches": {"splendid": 3}}, "fetches of a class that there is not"),
        ({"fetches": {"ok": 0}}, "counts of less than one fetch"),
        ({"verified": -1}, "counts of less than one fetch"),
        ({"latencies_us": {"0": 1}}, "latencies that are no counts"),
    ],
)
def test_a_round_that_cannot_be_recorded_is_refused(changes: dict[str, Any], what: str) -> None:
    """With what is wrong with it."""
    with pytest.raises(MalformedError, match=what):
        validate_report(replace(REPORT, rounds=(ROUND, replace(ROUND, **changes))))


def test_nobody_leaves_less_than_nothing() -> None:
    """Neither threads nor descriptors."""
    with pytest.raises(MalformedError, match="less than nothing"):
        validate_report(replace(REPORT, left=Holdings(0, -1)))


def said_of(*rounds: TimedRound, lived_s: float = 2.0) -> str:
    """Say what is contradictory in a report of these rounds, each of which the server saw alike."""
    ending = replace(ENDING, report=replace(REPORT, rounds=rounds), ended_s=ENDING.started_s + lived_s)
    return implausible_times(ending, dict.fromkeys(range(len(rounds)), SEEN))


def test_a_round_lasts_until_its_last_request() -> None:
    """Whoever says less has another clock; where a fetch timed out, its request may be read later."""
    assert said_of(ROUND, ROUND) == ""
    quick = replace(ROUND, elapsed_s=0.05)
    words = "a round is said to have taken 0.050000 s, but its requests came within 0.400000 s"
    assert said_of(ROUND, quick) == words
    assert said_of(replace(quick, elapsed_s=-1.0)).startswith("a round is said to have taken -1.000000 s")
    assert said_of(replace(quick, fetches={"ok": 2, "timeout": 1})) == ""


def test_a_process_lives_as_long_as_its_rounds() -> None:
    """Longer rounds than that are a lie, too."""
    words = "its rounds are said to have taken 1.000000 s, but its process lived 0.800000 s"
    assert said_of(ROUND, ROUND, lived_s=0.8) == words


def test_rounds_that_nobody_else_saw_contradict_nothing() -> None:
    """That there were no requests is said elsewhere."""
    assert implausible_times(ENDING, {}) == implausible_times(replace(ENDING, report=None), {}) == ""
