"""What a job does around a client's ``get``: save, judge, and tell."""

import asyncio
import errno
import os
import pickle
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import ModuleType
from zlib import crc32

import pytest

from bench.api import Answer, AsyncGet, ClientSettings, Fetch, Get, Job, run_strategy
from bench.api import Future as AnyFuture
from bench.system.paths import import_path


class Notes:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.fetches: list[Fetch] = []
        self.futures: list[tuple[str, bool]] = []

    def fetched(self, fetch: Fetch) -> None:
        """Remember a fetch."""
        self.fetches.append(fetch)

    def future(self, country: str, future: AnyFuture) -> None:
        """Remember whether a future is done."""
        assert isinstance(future, Future)
        self.futures.append((country, future.done()))


FakeClient = Callable[[Get], ModuleType]


@pytest.fixture
def fake_client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    """Put a client called ``fake`` in place, both of whose faces answer with a function."""

    def install(answer: Get) -> ModuleType:
        @contextmanager
        def open_client(settings: ClientSettings) -> Iterator[Get]:
            assert settings == ClientSettings(workers=2, keep_alive=True, request_timeout_s=0.05)
            yield answer

        @asynccontextmanager
        async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:
            assert settings.workers == 2

            async def get(url: str) -> Answer:
                return answer(url)

            yield get

        module = ModuleType("strategies.clients.fake")
        vars(module).update(open_client=open_client, open_async_client=open_async_client)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return module

    return install


def a_job(folder: Path, notes: Notes | None = None) -> Job:
    """Ask for Brazil."""
    return Job(
        ("BR",), 2, "http://server", folder, "fake", keep_alive=True, request_timeout_s=0.05, watcher=notes
    )


def fetch_sync(job: Job) -> Fetch:
    """Download Brazil in this thread."""
    with job.client() as download_one:
        return download_one("BR")


def fetch_async(job: Job) -> Fetch:
    """Download Brazil in an event loop."""

    async def supervise() -> Fetch:
        async with job.async_client() as download_one:
            return await download_one("BR")

    return asyncio.run(supervise())


both_faces = pytest.mark.parametrize("fetch_one", [fetch_sync, fetch_async])


@both_faces
def test_saves_a_flag_under_its_small_name(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:
    """The address is the chapter's, and the watcher sees what is returned."""
    fake_client(lambda url: Answer(200, url.encode()))
    notes = Notes()
    fetch = fetch_one(a_job(tmp_path, notes))
    address = b"http://server/flags/br/br.gif"
    assert (tmp_path / "br.gif").read_bytes() == address
    assert (fetch.country, fetch.status, fetch.size_bytes, fetch.outcome) == ("BR", 200, len(address), "ok")
    assert notes.fetches == [fetch]


@both_faces
def test_saves_nothing_but_flags(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:
    """The body of a 404 is no flag."""
    fake_client(lambda _: Answer(404, b"nothing here"))
    fetch = fetch_one(a_job(tmp_path))
    assert (fetch.status, fetch.size_bytes, fetch.outcome) == (404, 12, "not_found")
    assert list(tmp_path.iterdir()) == []


@both_faces
def test_a_failure_is_data(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:
    """Whatever a client raises becomes a fetch with a class and the client's own words."""

    def fail(_: str) -> Answer:
        raise ConnectionRefusedError("nobody there")

    fake_client(fail)
    notes = Notes()
    fetch = fetch_one(a_job(tmp_path, notes))
    assert fetch[3:7] == (0, 0, "refused", "ConnectionRefusedError: nobody there")
    assert notes.fetches == [fetch]


@both_faces
def test_an_answer_that_came_too_late_is_a_timeout(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:
    """A library that only times out between bytes is not believed, and nothing is saved."""

    def drip(_: str) -> Answer:
        time.sleep(0.06)
        return Answer(200, b"GIF")

    fake_client(drip)
    assert fetch_one(a_job(tmp_path)).outcome == "timeout"
    assert list(tmp_path.iterdir()) == []


@both_faces
def test_an_error_that_came_too_late_is_a_timeout(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:
    """Whatever a client makes of it."""

    def give_up(_: str) -> Answer:
        time.sleep(0.06)
        raise ConnectionResetError

    fake_client(give_up)
    assert fetch_one(a_job(tmp_path)).outcome == "timeout"


@both_faces
def test_an_answer_is_judged_by_its_headers(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:
    """The client need not know what is wrong with it, and nothing is saved."""
    fake_client(lambda _: Answer(200, b"GIF", {"Content-Length": "4"}))
    fetch = fetch_one(a_job(tmp_path))
    assert fetch[3:7] == (200, 3, "truncated", "3 bytes of a Content-Length of 4")
    assert list(tmp_path.iterdir()) == []


@both_faces
def test_what_was_saved_is_summed_up_where_it_is_asked_for(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:
    """A country that is fetched twice has one file, but two checksums."""
    fake_client(lambda _: Answer(200, b"GIF"))
    job = a_job(tmp_path)
    assert fetch_one(job).checksum is None
    assert fetch_one(job._replace(checks_content=True)).checksum == crc32(b"GIF")


def test_a_failure_has_nothing_to_do_with_what_was_handled_before(
    tmp_path: Path, fake_client: FakeClient
) -> None:
    """A strategy may ask once more, or tidy up, because something went wrong."""

    def fail(_: str) -> Answer:
        raise ValueError("of its own")

    fake_client(fail)

    async def supervise() -> Fetch:
        async with a_job(tmp_path).async_client() as download_one:
            try:
                raise OSError(errno.EMFILE, "Too many open files")
            except OSError:
                return await download_one("BR")

    fetches = [asyncio.run(supervise())]
    with a_job(tmp_path).client() as download_one:
        try:
            raise ConnectionResetError
        except ConnectionResetError:
            fetches.append(download_one("BR"))
    assert [fetch[3:7] for fetch in fetches] == [(0, 0, "error", "ValueError: of its own")] * 2


@both_faces
def test_a_full_disk_is_nobodys_fault(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:
    """The fetch has a class of its own, even where a strategy would have caught what was raised."""
    fake_client(lambda _: Answer(200, b"GIF"))
    (tmp_path / "br.gif").symlink_to("/dev/full")
    notes = Notes()
    fetch = fetch_one(a_job(tmp_path, notes))
    assert (fetch.outcome, fetch.detail) == ("local_resource", "OSError: [Errno 28] No space left on device")
    assert notes.fetches == [fetch]


def test_a_folder_that_is_not_there_is_no_failed_request(tmp_path: Path, fake_client: FakeClient) -> None:
    """It is raised, for the trial to fail."""
    fake_client(lambda _: Answer(200, b"GIF"))
    with pytest.raises(FileNotFoundError):
        fetch_sync(a_job(tmp_path / "nowhere"))


def test_a_future_is_shown_when_scheduled_and_when_done(tmp_path: Path) -> None:
    """The chapter prints the state at both moments."""
    notes, future = Notes(), Future[None]()
    assert a_job(tmp_path, notes).watch("BR", future) is future
    future.set_result(None)
    assert notes.futures == [("BR", False), ("BR", True)]


def test_a_future_that_nobody_watches_is_left_alone(tmp_path: Path) -> None:
    """While a job is timed, watching costs nothing: no callback is added."""
    marker = object()
    assert a_job(tmp_path).watch("BR", marker) is marker  # type: ignore[type-var]


def test_a_job_goes_to_another_process(tmp_path: Path) -> None:
    """Where processes are not forked, a pool pickles what its initializer is given."""
    job = a_job(tmp_path)
    assert pickle.loads(pickle.dumps(job)) == job  # noqa: S301  our own bytes


def test_a_strategy_that_is_run_becomes_the_download_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own file, which may lie anywhere, and with the options it was given."""
    commands = []
    monkeypatch.setattr(os, "execv", lambda _, command: commands.append(command))
    monkeypatch.setattr(sys, "argv", ["mine.py", "-l", "5"])
    run_strategy("/somewhere/mine.py")
    file = "/somewhere/mine.py"
    assert commands == [[sys.executable, "-m", "bench", "download", "--strategy", file, "-l", "5"]]


def test_importing_the_api_stays_light() -> None:
    """None of the modules that would make every cold start slower; the benchmarks have the milliseconds."""
    listing = "import sys, bench.api; print(*sys.modules)"
    command = [sys.executable, "-S", "-c", listing]
    environment = {"PYTHONPATH": os.pathsep.join(import_path())}
    listed = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
    heavy = {"asyncio", "dataclasses", "inspect", "pathlib", "urllib", "socket", "concurrent"}
    assert not set(listed.stdout.split()) & heavy
