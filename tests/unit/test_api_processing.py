"""CPU work on each download, in the thread that has downloaded it."""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from zlib import adler32

import pytest

from bench.api import Answer, AsyncGet, ClientSettings, Get, Job
from bench.api.processing import KINDS, Processing, keeps_lock

FLAG = bytes(range(256)) * 8


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, int]]:
    """Install a kind of work that records the body and the thread."""
    done: list[tuple[bytes, int]] = []
    monkeypatch.setattr(
        "bench.api.processing.KINDS", {"record": lambda body: done.append((body, threading.get_ident()))}
    )
    return done


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return a job whose client answers BR with a flag and all others with 404."""

    def answer(url: str) -> Answer:
        return Answer(200, FLAG) if url.endswith("br.gif") else Answer(404, b"none")

    @contextmanager
    def open_client(_settings: ClientSettings) -> Iterator[Get]:
        yield answer

    @asynccontextmanager
    async def open_async_client(_settings: ClientSettings) -> AsyncIterator[AsyncGet]:
        async def get(url: str) -> Answer:
            return answer(url)

        yield get

    module = ModuleType("strategies.clients.fake")
    vars(module).update(open_client=open_client, open_async_client=open_async_client)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return Job(("BR", "XX"), 2, "http://server", tmp_path, "fake", processing=Processing("record", 3))


def test_flag_is_processed_as_often_as_asked_in_the_thread_that_downloads_it(
    job: Job, done: list[tuple[bytes, int]]
) -> None:
    with job.client() as download_one:
        fetch = download_one("BR")
        assert fetch.outcome == "ok"
    assert done == [(FLAG, threading.get_ident())] * 3
    assert (job.folder / "br.gif").read_bytes() == FLAG


def test_flag_is_processed_in_the_event_loop(job: Job, done: list[tuple[bytes, int]]) -> None:
    async def download() -> None:
        async with job.async_client() as download_one:
            await download_one("BR")

    asyncio.run(download())
    assert done == [(FLAG, threading.get_ident())] * 3


def test_answer_without_a_flag_is_not_processed(job: Job, done: list[tuple[bytes, int]]) -> None:
    with job.client() as download_one:
        fetch = download_one("XX")
    assert (fetch.outcome, fetch.work_s) == ("not_found", None)
    assert done == []


def test_fetch_has_the_cpu_time_of_its_work_alone(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting is no work; a round cannot have less of it than its fetches say together."""

    def work_and_wait(_body: bytes) -> None:
        ends_s = time.thread_time() + 0.002
        while time.thread_time() < ends_s:
            pass
        time.sleep(0.02)

    monkeypatch.setattr("bench.api.processing.KINDS", {"record": work_and_wait})
    with job.client() as download_one:
        fetch = download_one("BR")
    assert fetch.work_s is not None
    assert 3 * 0.002 <= fetch.work_s < fetch.end_s - fetch.start_s - 3 * 0.01
    with job._replace(processing=None).client() as download_one:
        assert download_one("BR").work_s is None


@pytest.mark.parametrize(
    ("kind", "size_bytes", "keeps"),
    [
        ("json", 10**6, True),
        ("decode", 10**6, True),
        ("sha256", 2_047, True),
        ("sha256", 2_048, False),
    ],
)
def test_hash_of_a_large_body_alone_lets_other_threads_run(
    kind: str,
    size_bytes: int,
    keeps: bool,  # noqa: FBT001  table
) -> None:
    assert keeps_lock(kind, size_bytes) is keeps


@pytest.mark.parametrize("body", [b"", FLAG])
def test_work_is_really_done_on_any_body(body: bytes) -> None:
    expected = {"decode": adler32(body), "sha256": sha256(body).digest(), "json": [*body]}
    assert {kind: work(body) for kind, work in KINDS.items()} == expected


def test_a_failure_of_the_work_is_no_failure_of_the_download(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends the round, as a fault of the program and not of the server."""

    def fail(_body: bytes) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bench.api.processing.KINDS", {"record": fail})
    with job.client() as download_one, pytest.raises(ZeroDivisionError):
        download_one("BR")
