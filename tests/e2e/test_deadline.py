"""Fetches that drip past their deadline end in their own thread, and nothing else is hit."""

import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import ascii_uppercase
from types import ModuleType

import pytest

from bench.api import Answer, ClientSettings, Fetch, Get, Job
from tests.client_imports import importable_clients
from tests.fault_server import fault_server

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.alone,
    # CPython 3.11 lets no other thread that is traced go on while one of them has an error to raise
    pytest.mark.no_cover,
]

TIMEOUT_S = 0.02
THREADS = 8
BLOCKING = [name for name, client in importable_clients().items() if "sync" in client.faces]


@contextmanager
def a_trickle(stack: ExitStack) -> Iterator[list[socket.socket]]:
    """Yield sockets on which a byte arrives every half of a millisecond."""
    pairs = [socket.socketpair() for _ in range(THREADS)]
    for pair in pairs:
        for end in pair:
            stack.enter_context(end)
            end.settimeout(5.0)
    is_over = threading.Event()

    def feed() -> None:
        while not is_over.wait(0.0005):
            for _, sender in pairs:
                sender.send(b"x")

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield [receiver for receiver, _ in pairs]
    finally:
        is_over.set()
        feeder.join()


def end_around_the_deadline(folder: Path, seconds: float, monkeypatch: pytest.MonkeyPatch) -> list[Fetch]:
    """Fetch in several threads for a while, each time for about as long as a fetch may take.

    Every fetch is followed by what an error of its must not hit.
    """
    with ExitStack() as stack:
        receivers = stack.enter_context(a_trickle(stack))
        mine, chance = threading.local(), random.Random(1)

        def get(_: str) -> Answer:
            ends_s = time.perf_counter() + TIMEOUT_S * chance.uniform(0.9, 1.1)
            with mine.receiver.makefile("rb") as answer:
                while time.perf_counter() < ends_s:
                    answer.readline(1)
            return Answer(200, b"GIF")

        @contextmanager
        def open_client(_: ClientSettings) -> Iterator[Get]:
            yield get

        module = ModuleType("strategies.clients.trickling")
        vars(module).update(open_client=open_client)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        job = Job((), THREADS, "http://server", folder, "trickling", request_timeout_s=TIMEOUT_S)
        until_s = time.perf_counter() + seconds

        def fetch_on(number: int) -> list[Fetch]:
            mine.receiver = receivers[number]
            fetches = []
            while time.perf_counter() < until_s:
                fetches.append(download_one("X" + ascii_uppercase[number]))
                for _ in range(chance.randrange(300)):
                    chance.random()
            return fetches

        with job.client() as download_one, ThreadPoolExecutor(THREADS) as executor:
            return [fetch for some in executor.map(fetch_on, range(THREADS)) for fetch in some]


def hold_to_the_deadline(fetches: list[Fetch]) -> None:
    """Hold each fetch to its class: a time-out if it took longer than it may, and only then."""
    struck = [fetch for fetch in fetches if "OverdueError" in fetch.detail]
    late = [fetch for fetch in fetches if (fetch.answered_s or fetch.end_s) - fetch.start_s > TIMEOUT_S]
    assert struck
    assert len(struck) < len(late) < len(fetches)
    assert [fetch for fetch in fetches if fetch.outcome == "timeout"] == late
    assert {fetch.outcome for fetch in fetches} == {"ok", "timeout"}


@pytest.mark.long
def test_deadline_error_hits_only_its_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the code after a fetch nor the next fetch."""
    hold_to_the_deadline(end_around_the_deadline(tmp_path, 1.5, monkeypatch))


@pytest.mark.slow
def test_deadline_error_hits_only_its_fetch_over_tens_of_thousands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_to_the_deadline(end_around_the_deadline(tmp_path, 60.0, monkeypatch))


@pytest.mark.parametrize("client", BLOCKING)
@pytest.mark.parametrize("kind", ["drip", "slow_headers"])
def test_connection_pool_survives_fetches_that_were_cut_off(client: str, kind: str, tmp_path: Path) -> None:
    countries = ("BR", "XX", "CN") * 4
    with fault_server({"XX": kind}) as server:
        job = Job(countries, 2, server.base_url, tmp_path, client, request_timeout_s=0.25)
        with job.client() as download_one, ThreadPoolExecutor(2) as executor:
            fetches = list(executor.map(download_one, countries))
    assert [fetch.outcome for fetch in fetches] == ["ok", "timeout", "ok"] * 4
    assert max(fetch.end_s - fetch.start_s for fetch in fetches) < 1.5
    assert server.hits == {"BR": 4, "XX": 4, "CN": 4}


FORKED = """
import os, sys
from pathlib import Path
from bench.api import Job
job = Job(("XX",), 1, sys.argv[1], Path(sys.argv[2]), "urllib3", request_timeout_s=0.25)
with job.client():
    if os.fork() == 0:
        with job.client() as download_one:
            fetch = download_one("XX")
        print(fetch.outcome, fetch.end_s - fetch.start_s < 2.0, flush=True)
        os._exit(0)
    os.wait()
"""


def test_forked_process_has_its_own_deadline_thread(tmp_path: Path) -> None:
    """Threads are not inherited by fork."""
    with fault_server({"XX": "drip"}) as server:
        command = [sys.executable, "-W", "ignore", "-c", FORKED, server.base_url, str(tmp_path)]
        said = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout
    assert said == "timeout True\n"


GREENLETS = """
import sys
from strategies.gevent_spawn import download_many
from pathlib import Path
from bench.api import Job
countries = ("BR", "XX", "CN", "XX", "YY", "BR")
job = Job(countries, 3, sys.argv[1], Path(sys.argv[2]), sys.argv[3], request_timeout_s=0.25)
fetches = download_many(job)
for fetch in sorted(fetches):
    print(fetch.country, fetch.outcome, fetch.end_s - fetch.start_s < 1.0)
"""


@pytest.mark.parametrize(
    "client", [name for name in BLOCKING if "greenlets" in importable_clients()[name].abilities]
)
def test_greenlets_have_deadlines_of_their_own(tmp_path: Path, client: str) -> None:
    """A fetch that never ends in one greenlet keeps no other from its end."""
    with fault_server({"XX": "drip", "YY": "stall"}) as server:
        command = [sys.executable, "-W", "ignore", "-c", GREENLETS, server.base_url, str(tmp_path), client]
        said = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout
    late = ["XX timeout True"] * 2 + ["YY timeout True"]
    assert said.splitlines() == ["BR ok True", "BR ok True", "CN ok True", *late]
