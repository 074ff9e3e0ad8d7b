"""Strategies that used their job otherwise than planned are named in one line each."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from bench.model.cases import Case, Experiment, Strategy
from bench.model.job_use import JobUse
from bench.model.results import Measurement, Run
from bench.report.case_label import describe_case
from bench.report.export.markdown import to_markdown
from bench.report.job_use import other_client_lines, unread_workers_lines, workers_lines
from tests.builders import case, failed, run_of, trials

ONE, FIVE = case("mine", workers=1), case("mine", workers=5)
OTHER = (
    "mine.py opened an asynchronous client, and its cases were planned for a synchronous client; "
    'so that no client is left out, declare CLIENTS = "async"'
)
UNREAD = (
    "mine never read job.workers, so 1 and 5 workers at the most limited the connections of its client; "
    "read it, or declare WORKERS = False"
)


def measured(of: Case, use: JobUse | None) -> list[Measurement]:
    return [replace(trial, job_use=use) for trial in trials(of, [0.1, 0.1])]


def run_with(one: JobUse | None, five: JobUse | None) -> Run:
    return run_of({ONE: measured(ONE, one), FIVE: measured(FIVE, five)})


@pytest.mark.parametrize(
    ("one", "five", "lines"),
    [
        (JobUse(("sync",), workers=False), JobUse(("sync",), workers=False), [UNREAD]),
        (JobUse(("sync",), workers=False), None, [UNREAD]),
        (JobUse(("sync",), workers=False), JobUse(("sync",), workers=True), []),
        (JobUse(("sync",), workers=True), JobUse(("sync",), workers=True), []),
        (None, None, []),
    ],
)
def test_strategy_with_several_workers_that_never_reads_them_is_named(
    one: JobUse | None, five: JobUse | None, lines: list[str]
) -> None:
    run = run_with(one, five)
    assert list(unread_workers_lines(run)) == lines
    assert (UNREAD in to_markdown(run)) == bool(lines)


def test_one_number_of_workers_and_failed_trials_say_nothing() -> None:
    unread = JobUse(("sync",), workers=False)
    assert list(unread_workers_lines(run_of({ONE: measured(ONE, unread)}))) == []
    broken = [replace(failed(each, 0, "error", "x"), job_use=unread) for each in (ONE, FIVE)]
    assert list(unread_workers_lines(run_of({ONE: broken[:1], FIVE: broken[1:]}))) == []


@pytest.mark.parametrize(
    ("face", "clients", "lines"),
    [
        ("sync", ("sync",), []),
        ("sync", ("sync", "async"), []),
        (
            "sync",
            ("async",),
            [OTHER],
        ),
        ("sync", (), []),  # its trials have failed
    ],
)
def test_other_kind_of_client_than_planned_is_named(
    face: Literal["sync", "async"], clients: tuple[str, ...], lines: list[str]
) -> None:
    strategy = Strategy("mine", Path("mine.py"), "", face, takes_workers=True)
    experiment = Experiment("test", (ONE,), {"mine": strategy}, 1, 1, 60.0, 1.0, 1)
    found = other_client_lines(experiment, measured(ONE, JobUse(clients, workers=True)))
    assert list(found) == lines


def test_strategy_with_workers_of_its_own_has_no_number_in_any_table() -> None:
    own = replace(case("script", client="-", workers=20), has_own_workers=True)
    run = run_of({own: trials(own, [0.1, 0.1]), FIVE: trials(FIVE, [0.1, 0.1]), ONE: trials(ONE, [0.2, 0.2])})
    assert list(workers_lines(run)) == [
        (
            "script has no parameter for workers, so how many downloads are in flight is up to the function; "
            "a parameter `workers` would get the number of each case"
        )
    ]
    text = to_markdown(run)
    assert "| own |" in text
    assert "| script |" not in text.partition("median by workers")[2]
    assert describe_case(own) == "script"
    assert list(workers_lines(run_of({FIVE: trials(FIVE, [0.1, 0.1])}))) == []
