"""A job around a client's ``get``: it saves flags, decides outcomes, and notifies the watcher."""

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
from http.client import BadStatusLine
from pathlib import Path
from types import ModuleType
from zlib import crc32

import pytest

from bench.api import Answer, AsyncGet, ClientSettings, Fetch, Get, Job, parse_head, run_strategy
from bench.api import Future as AnyFuture
from bench.system.paths import import_path


def test_head_is_parsed_to_its_status_and_headers() -> None:
    status, headers = parse_head(b"HTTP/1.1 200 OK\r\ncontent-length:  5 \r\nVia: a\r\nX\r\nVIA: b\r\n\r\n")
    assert status == 200
    assert [headers.get(name) for name in ("Content-Length", "via", "X", "Age")] == ["5", "a, b", None, None]


@pytest.mark.parametrize(("head", "status"), [(b"HTTP/1.0 404\r\n\r\n", 404), (b"HTTP/2 200 \r\n\r\n", 200)])
def test_head_needs_no_reason(head: bytes, status: int) -> None:
    assert parse_head(head)[0] == status


@pytest.mark.parametrize("head", [b"", b"\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n", b"GARBAGE 200 OK\r\n\r\n"])
def test_head_without_a_status_is_refused(head: bytes) -> None:
    with pytest.raises(BadStatusLine):
        parse_head(head)


class RecordingWatcher:
    """A watcher that records fetches and futures."""

    def __init__(self) -> None:
        self.fetches: list[Fetch] = []
        self.futures: list[tuple[str, bool]] = []

    def fetched(self, fetch: Fetch) -> None:
        """Record a fetch."""
        self.fetches.append(fetch)

    def future(self, country: str, future: AnyFuture) -> None:
        """Record whether a future is done."""
        assert isinstance(future, Future)
        self.futures.append((country, future.done()))


FakeClient = Callable[[Get], ModuleType]


@pytest.fixture
def fake_client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    """Install a client called ``fake``, both of whose interfaces answer with a function."""

    def install(answer: Get) -> ModuleType:
        @contextmanager
        def open_client(settings: ClientSettings) -> Iterator[Get]:
            plain = settings._replace(folder="", checks_content=False)
            assert plain == ClientSettings(workers=2, keep_alive=True, request_timeout_s=0.05)
            assert settings.folder
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


def a_job(folder: Path, watcher: RecordingWatcher | None = None) -> Job:
    """Build a job for Brazil."""
    return Job(
        ("BR",), 2, "http://server", folder, "fake", keep_alive=True, request_timeout_s=0.05, watcher=watcher
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


both_interfaces = pytest.mark.parametrize("fetch_one", [fetch_sync, fetch_async])


@both_interfaces
def test_flag_is_saved_under_its_lower_case_code(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:
    """The address is that of the chapter, and the watcher is shown the fetch that is returned."""
    fake_client(lambda url: Answer(200, url.encode()))
    watcher = RecordingWatcher()
    fetch = fetch_one(a_job(tmp_path, watcher))
    address = b"http://server/flags/br/br.gif"
    assert (tmp_path / "br.gif").read_bytes() == address
    assert (fetch.country, fetch.status, fetch.size_bytes, fetch.outcome) == ("BR", 200, len(address), "ok")
    assert watcher.fetches == [fetch]


@both_interfaces
def test_body_of_a_404_is_not_saved(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:
    fake_client(lambda _: Answer(404, b"nothing here"))
    fetch = fetch_one(a_job(tmp_path))
    assert (fetch.status, fetch.size_bytes, fetch.outcome) == (404, 12, "not_found")
    assert list(tmp_path.iterdir()) == []


@both_interfaces
def test_error_of_a_client_becomes_a_failed_fetch(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:

    def fail(_: str) -> Answer:
        raise ConnectionRefusedError("connection refused")

    fake_client(fail)
    watcher = RecordingWatcher()
    fetch = fetch_one(a_job(tmp_path, watcher))
    assert fetch[3:7] == (0, 0, "refused", "ConnectionRefusedError: connection refused")
    assert watcher.fetches == [fetch]


@both_interfaces
def test_late_answer_is_a_timeout_and_not_saved(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:
    """A library may only time out between bytes."""

    def drip(_: str) -> Answer:
        time.sleep(0.06)
        return Answer(200, b"GIF")

    fake_client(drip)
    assert fetch_one(a_job(tmp_path)).outcome == "timeout"
    assert list(tmp_path.iterdir()) == []


@both_interfaces
def test_late_error_is_a_timeout(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:

    def give_up(_: str) -> Answer:
        time.sleep(0.06)
        raise ConnectionResetError

    fake_client(give_up)
    assert fetch_one(a_job(tmp_path)).outcome == "timeout"


@both_interfaces
def test_answer_with_a_wrong_length_is_not_saved(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:
    """Even if the client does not notice."""
    fake_client(lambda _: Answer(200, b"GIF", {"Content-Length": "4"}))
    fetch = fetch_one(a_job(tmp_path))
    assert fetch[3:7] == (200, 3, "truncated", "3 bytes of a Content-Length of 4")
    assert list(tmp_path.iterdir()) == []


@both_interfaces
def test_saved_flag_has_a_checksum_only_on_request(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:
    """A country that is fetched twice has one file, but two checksums."""
    fake_client(lambda _: Answer(200, b"GIF"))
    job = a_job(tmp_path)
    assert fetch_one(job).checksum is None
    assert fetch_one(job._replace(checks_content=True)).checksum == crc32(b"GIF")


def test_exception_handled_before_a_fetch_is_not_its_cause(tmp_path: Path, fake_client: FakeClient) -> None:
    """A strategy may retry a fetch, or clean up, in an ``except`` block."""

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


@both_interfaces
def test_full_disk_is_a_failed_fetch_with_an_outcome_of_its_own(
    tmp_path: Path, fake_client: FakeClient, fetch_one: Callable[[Job], Fetch]
) -> None:
    """An exception might be caught by the strategy."""
    fake_client(lambda _: Answer(200, b"GIF"))
    (tmp_path / "br.gif").symlink_to("/dev/full")
    watcher = RecordingWatcher()
    fetch = fetch_one(a_job(tmp_path, watcher))
    assert (fetch.outcome, fetch.detail) == ("local_resource", "OSError: [Errno 28] No space left on device")
    assert watcher.fetches == [fetch]


def test_missing_folder_is_raised_so_that_the_trial_fails(tmp_path: Path, fake_client: FakeClient) -> None:
    fake_client(lambda _: Answer(200, b"GIF"))
    with pytest.raises(FileNotFoundError):
        fetch_sync(a_job(tmp_path / "nowhere"))


def test_watcher_is_shown_a_future_when_scheduled_and_when_done(tmp_path: Path) -> None:
    watcher, future = RecordingWatcher(), Future[None]()
    assert a_job(tmp_path, watcher).watch("BR", future) is future
    future.set_result(None)
    assert watcher.futures == [("BR", False), ("BR", True)]


def test_future_of_a_job_without_watcher_gets_no_callback(tmp_path: Path) -> None:
    marker = object()
    assert a_job(tmp_path).watch("BR", marker) is marker  # type: ignore[type-var]


def test_job_can_be_pickled(tmp_path: Path) -> None:
    """Where processes are not forked, a pool pickles the arguments of its initializer."""
    job = a_job(tmp_path)
    assert pickle.loads(pickle.dumps(job)) == job  # noqa: S301  our own bytes


def test_strategy_run_as_a_program_becomes_the_download_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own file, and with its options."""
    commands = []
    monkeypatch.setattr(os, "execv", lambda _, command: commands.append(command))
    monkeypatch.setattr(sys, "argv", ["mine.py", "-l", "5"])
    run_strategy("/somewhere/mine.py")
    file = "/somewhere/mine.py"
    assert commands == [[sys.executable, "-m", "bench", "download", "--strategy", file, "-l", "5"]]


def test_importing_the_api_stays_light() -> None:
    """Each of these modules would slow down every cold start; the benchmarks have the milliseconds."""
    listing = "import sys, bench.api; print(*sys.modules)"
    command = [sys.executable, "-S", "-c", listing]
    environment = {"PYTHONPATH": os.pathsep.join(import_path())}
    listed = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
    heavy = {"asyncio", "dataclasses", "inspect", "pathlib", "urllib", "socket", "concurrent"}
    assert not set(listed.stdout.split()) & heavy
