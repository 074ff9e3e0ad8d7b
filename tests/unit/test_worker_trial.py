"""The number of rounds of a trial, and the job of each."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.api.job import ClusterSettings
from bench.model.job_use import JobUse
from bench.model.scheduler import Scheduler
from bench.worker.events import Awaiting, EventWriter, read_event
from bench.worker.protocol import HeldResources, Report, Task, TimedRound
from bench.worker.trial import build_job, is_round_due, needs_round
from tests.stub_server import stub_server
from tests.trial import a_task, report_of

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


ELSEWHERE = Scheduler("tls://10.0.0.1:8786", "/ca.pem", "/own.pem", "/key.pem")
FLAGS = {"BR": b"GIF89a of Brazil", "CN": b"GIF89a of China"}
ON_A_CLUSTER = """
from contextlib import contextmanager
from pathlib import Path

from bench.api import Fetch, Job
from bench.api.job import CLIENT_OBSERVERS

CLIENTS = "sync"
CLUSTER = True
OPTIONS = ("gather",)
OPEN = []


@contextmanager
def set_up(job: Job):
    OPEN.append(job.cluster.scheduler)
    yield
    OPEN.clear()
    Path("is_over").touch()


def download_many(job: Job) -> list[Fetch]:
    assert len(OPEN) == 1
    CLIENT_OBSERVERS.clear()  # as on other machines
    plain = Job._make(tuple.__iter__(job))._replace(watcher=None, checks_content=True)
    with plain.client() as download_one:
        fetches = [download_one(country) for country in plain.countries]
    if not GATHERS:
        for file in plain.folder.iterdir():
            file.unlink()
    return [each._replace(start_s=0.0, answered_s=0.0, end_s=each.end_s - each.start_s) for each in fetches]
"""
"""A strategy whose machines are this process, of which the observation of its job sees nothing."""


def on_a_cluster(folder: Path, *, gathers: bool = False, code: str = ON_A_CLUSTER, **wanted: Any) -> Report:
    """Run a trial of two flags on a cluster, and read its report."""
    (file := folder / "mine.py").write_text(f"{code}\nGATHERS = {gathers}\n", "utf-8")
    with stub_server(FLAGS) as stub:
        task = a_task(
            folder,
            strategy_file=file,
            countries=tuple(FLAGS),
            base_url=f"{stub.base_url}/-/t1",
            reference=stub.save_flags(folder / "reference"),
            option="gather" if gathers else "",
            **{"cluster": Scheduler("tcp://127.0.0.1:9"), **wanted},
        )
        return report_of(task)


def test_job_of_a_cluster_knows_its_scheduler_and_the_authority_of_the_flag_server(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    """Other machines have no file of it."""
    (authority := tmp_path / "flags.pem").write_text("PEM", "ascii")
    task = a_task(tmp_path, **settings, cluster=ELSEWHERE, authority=str(authority))
    expected = ClusterSettings("tls://10.0.0.1:8786", "/ca.pem", "/own.pem", "/key.pem", "PEM")
    assert build_job(task, 1, EVENTS).cluster == expected
    embedded = replace(task, cluster=Scheduler())
    assert build_job(embedded, 1, EVENTS).cluster == ClusterSettings()
    assert build_job(replace(task, cluster=None), 1, EVENTS).cluster is None
    assert Task.from_json(task.to_json()) == task


def test_set_up_is_open_for_all_rounds_and_closed_before_leaks_are_counted(tmp_path: Path) -> None:
    report = on_a_cluster(tmp_path, rounds=2)
    assert (report.outcome, report.detail, report.left) == ("ok", "", HeldResources(0, 0))
    assert len(report.rounds) >= 3
    assert (tmp_path / "trial/is_over").exists()


def test_rounds_of_a_cluster_have_durations_and_no_times(tmp_path: Path) -> None:
    for timed in on_a_cluster(tmp_path).rounds:
        assert (timed.fetches, timed.verified, timed.timeline) == ({"ok": 2}, 2, None)
        assert sum(timed.latencies_us.values()) == 2


def test_use_of_a_job_on_other_machines_is_not_known(tmp_path: Path) -> None:
    """They have no file of ours to record it in, and no trial is blamed for that."""
    assert on_a_cluster(tmp_path).job_use is None


def test_job_that_opens_no_client_on_the_embedded_cluster_is_known(tmp_path: Path) -> None:
    """Its processes can record what they do, so here it is no excuse that they have not."""
    report = on_a_cluster(tmp_path, cluster=Scheduler())
    assert report.job_use == JobUse((), workers=False)


def test_gathered_flags_show_that_an_option_was_heeded_on_other_machines(tmp_path: Path) -> None:
    """There it is read where nobody sees it."""
    report = on_a_cluster(tmp_path, gathers=True)
    assert (report.outcome, [each.verified for each in report.rounds]) == ("ok", [2] * len(report.rounds))


def test_flags_that_were_not_gathered_are_missing(tmp_path: Path) -> None:
    report = on_a_cluster(tmp_path, gathers=True, code=ON_A_CLUSTER.replace("not GATHERS", "True"))
    assert (report.outcome, report.detail) == ("missing", "2 files missing: br.gif, cn.gif")


def test_flags_here_are_unexpected_where_they_stay_on_other_machines(tmp_path: Path) -> None:
    report = on_a_cluster(tmp_path, code=ON_A_CLUSTER.replace("not GATHERS", "False"))
    assert (report.outcome, report.detail) == ("unexpected", "2 unexpected files: br.gif, cn.gif")


def test_processor_time_of_one_process_is_not_told_as_that_of_a_cluster(tmp_path: Path) -> None:
    report = on_a_cluster(tmp_path, probes=("cpu", "gc", "allocations"))
    assert [{*each.probes} for each in report.rounds] == [{"gc_s"}] * len(report.rounds)


def test_strategy_that_declares_a_cluster_needs_set_up(tmp_path: Path) -> None:
    report = on_a_cluster(tmp_path, code=ON_A_CLUSTER.replace("def set_up", "def open_it"))
    assert (report.outcome, report.rounds) == ("error", ())
    assert report.detail == "ImportError: mine.py declares CLUSTER, and has no function set_up"


def test_error_of_set_up_is_that_of_the_trial(tmp_path: Path) -> None:
    report = on_a_cluster(
        tmp_path, code=ON_A_CLUSTER.replace("    yield\n", "    raise OSError('no scheduler')\n")
    )
    assert (report.outcome, report.rounds) == ("error", ())
    assert "no scheduler (mine.py:" in report.detail


def test_warm_up_of_an_open_loop_has_no_rate_and_a_limit_holds_for_all_rounds(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    limited = a_task(tmp_path, **settings, rate=50.0, schedule="file")
    jobs = [build_job(limited, number, EVENTS) for number in (0, 1)]
    assert [(job.rate, job.is_open_loop) for job in jobs] == [(50.0, False)] * 2
    jobs = [build_job(replace(limited, is_open_loop=True), number, EVENTS) for number in (0, 1, 2)]
    assert [(job.rate, job.is_open_loop) for job in jobs] == [(None, False), (50.0, True), (50.0, True)]
