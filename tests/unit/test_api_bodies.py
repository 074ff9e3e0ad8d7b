"""Large bodies are written to files as they arrive, and their files are removed if anything goes wrong."""

import asyncio
import errno
import gc
import gzip
import os
import pickle
import sys
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Final
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.api import (
    Answer,
    AsyncGet,
    Body,
    BodySink,
    ClientSettings,
    Fetch,
    Get,
    Job,
    StreamedBody,
    TooLargeError,
    collect,
    collect_async,
)
from bench.api.bodies import BUFFERED_BYTES, REFUSED
from bench.api.outcomes import outcome_of_answer
from bench.api.processing import Processing
from bench.server.fault_responses import gzip_bomb

PIECE: Final = bytes(range(256)) * 64
LARGE: Final = PIECE * 30


def settings_of(folder: Path, largest_bytes: int = 8 << 20) -> ClientSettings:
    """Return the settings of a client that writes to a folder."""
    return ClientSettings(1, True, 1.0, largest_bytes, folder=str(folder), checks_content=True)  # noqa: FBT003


def collect_in_loop(pieces: Iterable[bytes], settings: ClientSettings) -> Body:
    """Collect the pieces as they come in an event loop."""

    async def come() -> AsyncIterator[bytes]:
        for piece in pieces:
            await asyncio.sleep(0)
            yield piece

    return asyncio.run(collect_async(come(), settings))


def write_to_sink(pieces: Iterable[bytes], settings: ClientSettings) -> Body:
    """Write the pieces as a library does that calls a function for each."""
    with BodySink(settings) as sink:
        for piece in pieces:
            sink.write(piece)
        return sink.end()


Collect = Callable[[Iterable[bytes], ClientSettings], Body]
every_way = pytest.mark.parametrize("take", [collect, collect_in_loop, write_to_sink])


@every_way
@pytest.mark.parametrize("size", [0, 1, BUFFERED_BYTES])
def test_small_body_stays_in_memory(tmp_path: Path, take: Collect, size: int) -> None:
    content = LARGE[:size]
    body = take([content[: size // 2], content[size // 2 :]], settings_of(tmp_path))
    assert body == content
    assert [*tmp_path.iterdir()] == []


@every_way
def test_large_body_is_in_a_file_with_its_checksum(tmp_path: Path, take: Collect) -> None:
    body = take([PIECE] * 30, settings_of(tmp_path))
    assert isinstance(body, StreamedBody)
    assert (len(body), body.read(), body.checksum) == (len(LARGE), LARGE, crc32(LARGE))
    (file,) = tmp_path.iterdir()
    assert file.name.startswith(f".part-{os.getpid()}-")
    body.move_to(str(tmp_path / "br.gif"))
    assert [each.name for each in tmp_path.iterdir()] == ["br.gif"]
    del body
    gc.collect()
    assert (tmp_path / "br.gif").read_bytes() == LARGE


@given(st.lists(st.integers(0, 50_000), max_size=20))
@pytest.mark.parametrize("take", [collect, write_to_sink])
def test_body_is_its_pieces_wherever_they_are_cut(
    tmp_path_factory: pytest.TempPathFactory, take: Collect, sizes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]
    body = take(pieces, settings_of(folder))
    assert isinstance(body, StreamedBody) is (sum(sizes) > BUFFERED_BYTES)
    assert (body.read() if isinstance(body, StreamedBody) else body) == b"".join(pieces)


@every_way
def test_without_a_folder_every_body_stays_in_memory(tmp_path: Path, take: Collect) -> None:
    """As in a client of a user's that makes its own settings."""
    assert take([PIECE] * 30, settings_of(tmp_path)._replace(folder="")) == LARGE


@every_way
@pytest.mark.parametrize("limit", [1_000, BUFFERED_BYTES, 300_000])
def test_body_beyond_the_limit_leaves_no_file(tmp_path: Path, take: Collect, limit: int) -> None:
    with pytest.raises(TooLargeError, match=f"larger than {limit} bytes"):
        take([PIECE] * 30, settings_of(tmp_path, limit))
    assert [*tmp_path.iterdir()] == []


@every_way
def test_body_as_large_as_the_limit_is_taken(tmp_path: Path, take: Collect) -> None:
    assert len(take([PIECE] * 30, settings_of(tmp_path, len(LARGE)))) == len(LARGE)


@every_way
def test_body_that_breaks_off_leaves_no_file(tmp_path: Path, take: Collect) -> None:
    def break_off() -> Iterator[bytes]:
        yield from [PIECE] * 20
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        take(break_off(), settings_of(tmp_path))
    assert [*tmp_path.iterdir()] == []


@every_way
def test_body_without_room_on_the_disk_leaves_no_file(
    tmp_path: Path, take: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel writes a part first, and then says that the disk is full."""
    write, room = os.write, [200_000]

    def write_some(descriptor: int, data: bytes) -> int:
        if room[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(descriptor, data[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", write_some)
    with pytest.raises(OSError, match="No space left"):
        take([PIECE] * 30, settings_of(tmp_path))
    monkeypatch.undo()
    assert [*tmp_path.iterdir()] == []


def test_cancelled_download_leaves_no_file(tmp_path: Path) -> None:
    stalls = asyncio.Event()

    async def stall() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield PIECE
        stalls.set()
        await asyncio.sleep(60)

    async def cancel() -> None:
        task = asyncio.ensure_future(collect_async(stall(), settings_of(tmp_path)))
        await stalls.wait()
        assert len(os.listdir(tmp_path)) == 1  # noqa: PTH208  pathlib is refused in an event loop
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert [*tmp_path.iterdir()] == []


def test_body_that_nobody_takes_is_removed(tmp_path: Path) -> None:
    """As where a library is cancelled while it closes the response."""
    body = collect([PIECE] * 30, settings_of(tmp_path))
    assert len([*tmp_path.iterdir()]) == 1
    del body
    gc.collect()
    assert [*tmp_path.iterdir()] == []


def test_forked_process_removes_no_file_of_its_parent(tmp_path: Path) -> None:
    body = collect([PIECE] * 30, settings_of(tmp_path))
    if not (child := os.fork()):
        del body
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)
    assert isinstance(body, StreamedBody)
    assert body.read() == LARGE


def test_forked_process_that_drops_a_sink_removes_no_file_of_its_parent(tmp_path: Path) -> None:
    sink = BodySink(settings_of(tmp_path))
    for _ in range(30):
        sink.write(PIECE)
    if not (child := os.fork()):
        sink.discard()
        os._exit(0)
    os.waitpid(child, 0)
    body = sink.end()
    assert isinstance(body, StreamedBody)
    assert body.read() == LARGE


def test_interpreters_of_one_process_have_files_of_their_own(tmp_path: Path) -> None:
    """Each has a copy of the module, and they share the process id."""
    found = []
    for _ in range(2):
        spec = find_spec("bench.api.bodies")
        assert spec is not None
        assert spec.loader is not None
        copy = module_from_spec(spec)
        spec.loader.exec_module(copy)
        sink = copy.BodySink(settings_of(tmp_path))
        for _ in range(30):
            sink.write(PIECE)
        found.append(sink.end())
    assert [body.read() for body in found] == [LARGE] * 2


def test_body_in_a_file_is_not_pickled(tmp_path: Path) -> None:
    """The copy would remove the file of the original."""
    body = collect([PIECE] * 30, settings_of(tmp_path))
    with pytest.raises(TypeError, match="is not copied"):
        pickle.dumps(body)
    assert isinstance(body, StreamedBody)
    assert body.read() == LARGE


def test_large_bodies_take_little_memory(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        bodies = [
            take((bytes(16_384) for _ in range(640)), settings_of(tmp_path, 10 << 20))
            for take in (collect, collect_in_loop, write_to_sink)
        ]
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [len(body) for body in bodies] == [10 << 20] * 3
    assert most_bytes < 2 << 20


def test_encoded_body_in_a_file_is_unpacked_up_to_the_limit(tmp_path: Path) -> None:
    """A zip bomb may be larger than the buffer."""
    packed = {"too_large": gzip_bomb(), "corrupt": gzip.compress(os.urandom(200_000))}
    for outcome, content in packed.items():
        body = collect([content], settings_of(tmp_path))
        assert isinstance(body, StreamedBody)
        assert outcome_of_answer(Answer(200, body, {"Content-Encoding": "gzip"}), 8 << 20)[0] == outcome


@pytest.mark.parametrize("count", [1, 30])
def test_piece_after_the_end_is_refused(tmp_path: Path, count: int) -> None:
    """A library may call once more after a download was cancelled."""
    for end in (BodySink.end, BodySink.discard):
        sink = BodySink(settings_of(tmp_path))
        for _ in range(count):
            assert sink.accept(PIECE) == len(PIECE)
        body = end(sink)
        assert sink.accept(PIECE) == REFUSED
        assert str(sink.failure) == "the body has ended"
        assert body is None or len(body) == count * len(PIECE)
        del body
        gc.collect()
        assert [*tmp_path.iterdir()] == []


def test_first_failure_of_a_callback_is_raised_in_the_end(tmp_path: Path) -> None:
    with BodySink(settings_of(tmp_path, 100_000)) as sink:
        assert [sink.accept(PIECE) for _ in range(8)] == [len(PIECE)] * 6 + [REFUSED] * 2
        with pytest.raises(TooLargeError):
            sink.end()
    assert [*tmp_path.iterdir()] == []


def refused(folder: Path, error: BaseException) -> None:
    """Refuse a piece, as a library then ends with an error of its own."""
    with BodySink(settings_of(folder, 10)) as sink:
        assert sink.accept(PIECE) == REFUSED
        raise error


def test_failure_of_a_callback_takes_the_place_of_the_error_of_the_library(tmp_path: Path) -> None:
    with pytest.raises(TooLargeError) as raised:
        refused(tmp_path, RuntimeError("write error"))
    assert isinstance(raised.value.__cause__, RuntimeError)


def test_failure_of_a_callback_does_not_hide_that_the_download_was_cancelled(tmp_path: Path) -> None:
    with pytest.raises(asyncio.CancelledError):
        refused(tmp_path, asyncio.CancelledError())


Download = Callable[[Job, Callable[[ClientSettings], Answer]], Fetch]


def fake_module(answer: Callable[[ClientSettings], Answer]) -> ModuleType:
    """Return the module of a client with this answer to each request."""

    @contextmanager
    def open_client(settings: ClientSettings) -> Iterator[Get]:
        yield lambda _: answer(settings)

    @asynccontextmanager
    async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:
        async def get(_: str) -> Answer:
            return answer(settings)

        yield get

    module = ModuleType("strategies.clients.fake")
    vars(module).update(open_client=open_client, open_async_client=open_async_client)
    return module


@pytest.fixture(params=["sync", "async"])
def download(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Download:
    """Download Brazil with a client of either kind."""

    def fetch_sync(job: Job) -> Fetch:
        with job.client() as download_one:
            return download_one("BR")

    def fetch_async(job: Job) -> Fetch:
        async def supervise() -> Fetch:
            async with job.async_client() as download_one:
                one: Awaitable[Fetch] = download_one("BR")
                return await one

        return asyncio.run(supervise())

    def fetch(job: Job, answer: Callable[[ClientSettings], Answer]) -> Fetch:
        monkeypatch.setitem(sys.modules, "strategies.clients.fake", fake_module(answer))
        return (fetch_sync if request.param == "sync" else fetch_async)(job)

    return fetch


def a_job(folder: Path) -> Job:
    """Build a job for Brazil."""
    return Job(("BR",), 1, "http://server", folder, "fake", checks_content=True)


def test_flag_of_a_large_body_is_saved_under_its_name(tmp_path: Path, download: Download) -> None:
    (tmp_path / "br.gif").write_bytes(b"that of an earlier fetch")
    fetch = download(a_job(tmp_path), lambda settings: Answer(200, collect([PIECE] * 30, settings)))
    assert (fetch.outcome, fetch.size_bytes, fetch.checksum) == ("ok", len(LARGE), crc32(LARGE))
    assert [each.name for each in tmp_path.iterdir()] == ["br.gif"]
    assert (tmp_path / "br.gif").read_bytes() == LARGE


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (500, {}, "server_error"),
        (200, {"Content-Length": "9999999"}, "truncated"),
        (200, {"Content-Length": "7"}, "protocol"),
    ],
)
def test_large_body_of_a_failed_fetch_leaves_no_file(
    tmp_path: Path, download: Download, status: int, headers: dict[str, str], outcome: str
) -> None:
    fetch = download(
        a_job(tmp_path), lambda settings: Answer(status, collect([PIECE] * 30, settings), headers)
    )
    assert (fetch.outcome, fetch.size_bytes) == (outcome, len(LARGE))
    assert [*tmp_path.iterdir()] == []


def test_late_large_body_leaves_no_file(tmp_path: Path, download: Download) -> None:
    job = a_job(tmp_path)._replace(request_timeout_s=0.0)
    fetch = download(job, lambda settings: Answer(200, collect([PIECE] * 30, settings)))
    assert fetch.outcome == "timeout"
    assert [*tmp_path.iterdir()] == []


def test_flag_that_cannot_be_renamed_leaves_no_file(tmp_path: Path, download: Download) -> None:
    (tmp_path / "br.gif").mkdir()
    with pytest.raises(OSError, match=r"br\.gif"):
        download(a_job(tmp_path), lambda settings: Answer(200, collect([PIECE] * 30, settings)))
    gc.collect()
    assert [each.name for each in tmp_path.iterdir()] == ["br.gif"]


def test_cpu_work_gets_the_bytes_of_a_large_body(
    tmp_path: Path, download: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    monkeypatch.setattr(Processing, "run", lambda _, body: seen.append(body))
    job = a_job(tmp_path)._replace(processing=Processing("sha256", 1))
    download(job, lambda settings: Answer(200, collect([PIECE] * 30, settings)))
    assert seen == [LARGE]
