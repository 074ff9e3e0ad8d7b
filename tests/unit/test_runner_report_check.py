"""The limits of a worker's report, which a strategy may have forged."""

from dataclasses import replace
from typing import Any

import pytest

from bench.model.job_use import JobUse
from bench.model.worker_runtime import ImportedLibrary, WorkerRuntime
from bench.runner.report_check import find_unrecordable
from bench.worker.protocol import CallSpans, HeldResources, Report, TimedRound, Timeline

TIMES = Timeline(100.0, 0.1, 0.2, 0.1, 100.1, 100.2, 100.3)
ROUND = TimedRound(0.5, {"ok": 3}, 3, (), TIMES, {"20500": 3}, {"cpu_user_s": 0.1})
REPORT = Report("ok", "", 99.0, 99.5, (ROUND, ROUND), HeldResources(0, 0))
SPANS = CallSpans(1, 100.0, 1, ("BR",), ("ok",), (100.1,), (100.2,), (100.3,))
COLUMNS = ("countries", "outcomes", "starts_s", "answers_s", "ends_s")


def test_the_report_of_an_honest_worker_can_be_recorded() -> None:
    assert find_unrecordable(REPORT) is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"elapsed_s": 1e300}, "a number that is neither a time nor a count"),
        ({"timeline": replace(TIMES, mean_end_s=-1e300)}, "a number that is neither a time nor a count"),
        ({"verified": 10**400}, "a number that is neither a time nor a count"),
        ({"failures": ("x" * 1001,)}, "a text of 1,001 characters"),
        ({"probes": {"x" * 2000: 0.1}}, "a text of 2,000 characters"),
        ({"fetches": {"splendid": 3}}, "an unknown outcome of fetches"),
        ({"fetches": {"ok": 0}}, "counts of less than one fetch"),
        ({"verified": -1}, "counts of less than one fetch"),
        ({"latencies_us": {"0": 1}}, "latencies that are not counts"),
    ],
)
def test_a_round_that_cannot_be_recorded_is_found(changes: dict[str, Any], problem: str) -> None:
    report = replace(REPORT, rounds=(ROUND, replace(ROUND, **changes)))
    assert find_unrecordable(report) == problem


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"starts_s": ()}, "spans of unequal or too many fetches"),
        ({"call": 2}, "spans of a call that was not made"),
        ({"call": 0}, "spans of a call that was not made"),
        ({"outcomes": ("splendid",)}, "an unknown outcome of a span"),
        ({"countries": ("Brazil",)}, "spans of things that are no countries"),
        ({"called_s": 1e300}, "a number that is neither a time nor a count"),
        (dict.fromkeys(COLUMNS, ("ok",) * 2001), "spans of unequal or too many fetches"),
    ],
)
def test_spans_that_cannot_be_recorded_are_found(changes: dict[str, Any], problem: str | None) -> None:
    assert find_unrecordable(replace(REPORT, spans=replace(SPANS, **changes))) == problem


def test_negative_leaks_cannot_be_recorded() -> None:
    assert find_unrecordable(replace(REPORT, left=HeldResources(0, -1))) == "a negative number of leaks"


def test_too_many_names_cannot_be_recorded() -> None:
    library = ImportedLibrary("m", "client", "m", "1", "/m.py")
    runtime = WorkerRuntime("CPython 3.11.7", has_gil=True, libraries=(library,) * 101)
    use = JobUse((), workers=True, event_loops=("a.Loop",) * 101)
    assert find_unrecordable(replace(REPORT, runtime=runtime)) == "too many libraries or event loops"
    assert find_unrecordable(replace(REPORT, job_use=use)) == "too many libraries or event loops"
    assert find_unrecordable(replace(REPORT, runtime=replace(runtime, libraries=(library,)))) is None
