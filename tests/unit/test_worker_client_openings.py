"""The time of opening clients, as strategies of every kind open them."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.api import Answer, AsyncGet, Fetch, Get, Job, PerThread
from bench.worker.fetch_times import build_timeline
from bench.worker.protocol import Timeline

TESTS = Path(__file__).parents[1]
WORKERS, FLAGS = 3, ("BD", "BR", "CN", "ID", "IN", "JP")
OPENING_S, ANSWER_S = 0.04, 0.005


def answer(_url: str) -> Answer:
    """Answer after a while."""
    time.sleep(ANSWER_S)
    return Answer(200, b"GIF89a")


async def answer_in_loop(_url: str) -> Answer:
    await asyncio.sleep(ANSWER_S)
    return Answer(200, b"GIF89a")


@contextmanager
def slow_client(_settings: object) -> Iterator[Get]:
    time.sleep(OPENING_S)
    yield answer


@asynccontextmanager
async def slow_async_client(_settings: object) -> AsyncIterator[AsyncGet]:
    time.sleep(OPENING_S)  # noqa: ASYNC251  as making a TLS context does, it keeps the whole event loop waiting
    yield answer_in_loop


@contextmanager
def client_of_slow_sessions(_settings: object) -> Iterator[Get]:
    with PerThread(partial(slow_client, None)) as sessions:

        def get(url: str) -> Answer:
            session = sessions.get()
            return session(url)

        yield get


@pytest.fixture(autouse=True)
def _clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Provide the clients as the modules that a job imports."""
    whole = SimpleNamespace(open_client=slow_client, open_async_client=slow_async_client)
    monkeypatch.setitem(sys.modules, "strategies.clients.whole", whole)
    by_thread = SimpleNamespace(open_client=client_of_slow_sessions)
    monkeypatch.setitem(sys.modules, "strategies.clients.by_thread", by_thread)


def run(file: Path, client: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Timeline, float]:
    """Run a strategy file; return its timeline, and the slots' time that is in no part of it."""
    spec = spec_from_file_location(f"strategies.{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    called_s = time.perf_counter()
    fetches: list[Fetch] = module.download_many(Job(FLAGS, WORKERS, "http://nowhere", folder, client))
    returned_s = time.perf_counter()
    assert {each.outcome for each in fetches} == {"ok"}
    times = build_timeline(fetches, WORKERS, called_s, returned_s)
    assert times is not None
    known_s = times.pool_start_s + times.opening_s + times.occupied_s + WORKERS * times.pool_stop_s
    return times, WORKERS * (returned_s - called_s) - known_s


@pytest.mark.parametrize(
    ("file", "client", "waiting_s", "within_s"),
    [
        ("strategies/sequential.py", "whole", 1, 0),
        ("strategies/threadpool_map.py", "whole", WORKERS, 0),
        ("strategies/asyncio_gather.py", "whole", WORKERS, 0),
        ("strategies/asyncio_to_thread.py", "whole", WORKERS, 0),
        ("strategies/processpool_map.py", "whole", 1, 0),
        ("strategies/threadpool_map.py", "by_thread", 0, WORKERS),
        ("tests/strategies/opens_for_each_flag.py", "whole", len(FLAGS), 0),
        ("tests/strategies/opens_for_each_flag.py", "by_thread", 0, len(FLAGS)),
        ("tests/strategies/opens_for_each_thread.py", "whole", WORKERS, 0),
        ("tests/strategies/opens_for_each_task.py", "whole", len(FLAGS), 0),
    ],
)
def test_time_of_opening_clients_is_found_wherever_they_are_opened(  # noqa: PLR0913, PLR0917  table
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, client: str, waiting_s: float, within_s: float
) -> None:
    """In openings of a client: the least that slots wait for one, and that fetches open for themselves."""
    times, unused_s = run(TESTS.parent / file, client, tmp_path, monkeypatch)
    assert times.opening_s >= waiting_s * OPENING_S
    assert times.opening_within_s >= within_s * OPENING_S
    assert bool(times.opening_s > OPENING_S / 2) is bool(waiting_s)
    assert bool(times.opening_within_s > OPENING_S / 2) is bool(within_s)
    if file.partition("opens_")[2]:
        assert unused_s < times.opening_s + times.opening_within_s
