"""The rate of requests holds for threads, event loops and processes that share a schedule."""

import asyncio
import multiprocessing
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter, sleep
from types import ModuleType
from typing import Any

import pytest

from bench.api import Answer, Job
from bench.api.job import PathTable
from bench.api.pacing import (
    begin_open_schedule,
    create_open_schedule,
    create_schedule,
    due_s,
    reserve_start_s,
    take_start,
)
from tests.runs import ROOT

RATE = 400.0


@pytest.fixture
def schedule(tmp_path: Path) -> str:
    """Return a schedule whose first start is due."""
    file = str(tmp_path / "schedule")
    create_schedule(file, 0.0)
    return file


def reserve(schedule: str, _number: int) -> float:
    """Return the time of a reserved start."""
    wait_s = reserve_start_s(schedule, RATE)
    return perf_counter() + wait_s


def assert_paced(began_s: float, starts_s: Sequence[float]) -> None:
    """Check that each start is not before its place in the schedule, if that was empty in the beginning."""
    for number, start_s in enumerate(sorted(starts_s)):
        assert start_s >= began_s + number / RATE


def test_threads_share_a_schedule(schedule: str) -> None:
    began_s = perf_counter()
    with ThreadPoolExecutor(16) as pool:
        assert_paced(began_s, list(pool.map(partial(reserve, schedule), range(100))))


def test_forked_processes_share_a_schedule(schedule: str) -> None:
    began_s = perf_counter()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        assert_paced(began_s, list(pool.map(partial(reserve, schedule), range(60))))


def test_other_processes_share_a_schedule(schedule: str) -> None:
    began_s = perf_counter()
    reserving = "from tests.unit.test_api_pacing import reserve; import sys; print(reserve(sys.argv[1], 0))"
    processes = [
        subprocess.Popen([sys.executable, "-c", reserving, schedule], cwd=ROOT, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    starts_s = [float(process.communicate(timeout=60)[0]) for process in processes]
    assert_paced(began_s, starts_s)
    assert len({*starts_s}) == len(starts_s)


def test_idle_time_is_not_saved_up(schedule: str) -> None:
    reserve(schedule, 0)
    sleep(20 / RATE)
    began_s = perf_counter()
    assert_paced(began_s, [reserve(schedule, number) for number in range(30)])


def test_first_start_is_not_before_its_time(tmp_path: Path) -> None:
    file = str(tmp_path / "later")
    create_schedule(file, perf_counter() + 5)
    assert 4.5 < reserve_start_s(file, RATE) <= 5


def test_nothing_is_started_without_the_schedule(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        reserve_start_s(str(tmp_path / "gone"), RATE)


@pytest.fixture
def open_schedule(tmp_path: Path) -> str:
    """Return the schedule of an open loop that has not begun."""
    file = str(tmp_path / "open")
    create_open_schedule(file)
    return file


def take(schedule: str, _number: int) -> float:
    """Return when a start that was taken is due."""
    return take_start(schedule, RATE)


def test_threads_take_each_start_of_an_open_loop_once(open_schedule: str) -> None:
    begin_open_schedule(open_schedule, 1_000.0)
    with ThreadPoolExecutor(16) as pool:
        taken_s = sorted(pool.map(partial(take, open_schedule), range(200)))
    assert taken_s == [1_000.0 + number / RATE for number in range(200)]


def test_processes_take_each_start_of_an_open_loop_once(open_schedule: str) -> None:
    begin_open_schedule(open_schedule, 1_000.0)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        taken_s = sorted(pool.map(partial(take, open_schedule), range(60)))
    assert taken_s == [due_s(1_000.0, number, RATE) for number in range(60)]


def test_a_late_start_of_an_open_loop_puts_off_no_other(open_schedule: str) -> None:
    """All of these are taken long after they were due."""
    begin_open_schedule(open_schedule, perf_counter() - 60)
    late_s = [take(open_schedule, number) for number in range(3)]
    assert late_s == [due_s(late_s[0], number, RATE) for number in range(3)]


def test_each_schedule_of_an_open_loop_begins_with_its_first_start(open_schedule: str) -> None:
    for first_s in (10.0, 50.0):
        begin_open_schedule(open_schedule, first_s)
        assert [take(open_schedule, number) for number in range(2)] == [first_s, first_s + 1 / RATE]


def test_nothing_of_an_open_loop_is_started_without_its_schedule(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        begin_open_schedule(str(tmp_path / "gone"), 0.0)
    with pytest.raises(FileNotFoundError):
        take_start(str(tmp_path / "gone"), RATE)


class FakeClient:
    """A client, both of whose interfaces note when it was asked and for what."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, str]] = []

    def get(self, url: str) -> Answer:
        """Note a request."""
        self.asked.append((perf_counter(), url))
        return Answer(200, b"x")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    """Install a client as a module."""
    fake, module = FakeClient(), ModuleType("paced_client")

    @contextmanager
    def open_client(_settings: object) -> Iterator[Any]:
        yield fake.get

    @asynccontextmanager
    async def open_async_client(_settings: object) -> Any:
        async def get(url: str) -> Answer:
            return fake.get(url)

        yield get

    vars(module).update(open_client=open_client, open_async_client=open_async_client)
    monkeypatch.setitem(sys.modules, "paced_client", module)
    return fake


def job_of(folder: Path, schedule: str) -> Job:
    """Build a job of one file of a target, asked for thirty times at a rate."""
    paths = PathTable(AA="a%20b.bin")
    return Job(
        ("AA",) * 30,
        8,
        "http://127.0.0.1:9/files",
        folder,
        "paced",
        client_module="paced_client",
        paths=paths,
        rate=RATE,
        schedule=schedule,
    )


def test_job_keeps_to_its_rate_in_threads_and_in_an_event_loop(
    tmp_path: Path, schedule: str, client: FakeClient
) -> None:
    job, began_s = job_of(tmp_path, schedule), perf_counter()
    with job.client() as download_one, ThreadPoolExecutor(8) as pool:
        fetches = list(pool.map(download_one, job.countries))

    async def download_all() -> None:
        async with job.async_client() as download_async:
            fetches.extend(await asyncio.gather(*map(download_async, job.countries)))

    asyncio.run(download_all())
    assert {fetch.outcome for fetch in fetches} == {"ok"}
    assert {url for _, url in client.asked} == {"http://127.0.0.1:9/files/a%20b.bin"}
    assert_paced(began_s, [at_s for at_s, _ in client.asked])
    assert_paced(began_s, [fetch.start_s for fetch in fetches])  # waiting is no part of a fetch
    assert [path.name for path in tmp_path.iterdir() if path.name != "schedule"] == ["aa.gif"]


def test_fetches_of_an_open_loop_begin_when_they_are_due_in_threads_and_in_an_event_loop(
    tmp_path: Path, open_schedule: str, client: FakeClient
) -> None:
    job = job_of(tmp_path, open_schedule)._replace(is_open_loop=True)
    began_s = perf_counter()
    begin_open_schedule(open_schedule, began_s)
    with job.client() as download_one, ThreadPoolExecutor(8) as pool:
        fetches = list(pool.map(download_one, job.countries))

    async def download_all() -> None:
        async with job.async_client() as download_async:
            fetches.extend(await asyncio.gather(*map(download_async, job.countries)))

    asyncio.run(download_all())
    assert sorted(fetch.scheduled_s for fetch in fetches) == [due_s(began_s, n, RATE) for n in range(60)]
    assert all(fetch.start_s >= fetch.scheduled_s for fetch in fetches)
    assert_paced(began_s, [at_s for at_s, _ in client.asked])


def test_late_fetches_of_an_open_loop_begin_at_once_and_keep_the_time_when_they_were_due(
    tmp_path: Path, open_schedule: str, client: FakeClient
) -> None:
    """A minute late, none waits; a failed one keeps its time, too."""
    job, due_from_s = job_of(tmp_path, open_schedule)._replace(is_open_loop=True), perf_counter() - 60
    begin_open_schedule(open_schedule, due_from_s)
    with job.client() as download_one:
        fetches = [download_one(code) for code in ("AA", "AA", "ZZ")]
    assert [fetch.outcome for fetch in fetches] == ["ok", "ok", "error"]
    assert [fetch.scheduled_s for fetch in fetches] == [due_s(due_from_s, n, RATE) for n in range(3)]
    assert fetches[0].start_s >= due_from_s + 60
    assert len(client.asked) == 2


def test_fetches_of_other_jobs_were_due_at_no_time(tmp_path: Path, schedule: str, client: FakeClient) -> None:
    for job in (job_of(tmp_path, schedule), job_of(tmp_path, schedule)._replace(rate=None)):
        with job.client() as download_one:
            assert download_one("AA").scheduled_s == 0.0
    assert len(client.asked) == 2


def test_code_that_is_no_file_of_the_target_is_a_failed_fetch(
    tmp_path: Path, schedule: str, client: FakeClient
) -> None:
    with job_of(tmp_path, schedule).client() as download_one:
        for code in ("AB", "../x", "aa", ""):
            fetch = download_one(code)
            assert (fetch.outcome, fetch.status) == ("error", 0)
            assert "is not the code of a file of the target" in fetch.detail
    assert client.asked == []


def test_job_of_a_target_is_hashable_and_can_be_pickled(tmp_path: Path, schedule: str) -> None:
    job = job_of(tmp_path, schedule)
    copy = pickle.loads(pickle.dumps(job))  # noqa: S301
    assert copy == job
    assert hash(copy) == hash(job)
