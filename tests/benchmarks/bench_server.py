"""Measure the rate and the punctuality of the flag server.

On a quiet machine with two cores:
``pytest -o addopts=--import-mode=importlib tests/benchmarks/bench_server.py -s``
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.model.cases import Fixed, Profile
from bench.model.flags import all_flags
from bench.model.results import ServerRound
from bench.model.served_trials import Opening
from bench.model.server_settings import ServerSettings
from bench.server.request_log import UNANSWERED
from tests.server_process import TestedServer, close_pipe, control, server_process

FLAG: Final = "/flags/sv/sv.gif"
"""9.9 KB: the median flag."""

ROUNDS: Final = 9
SETTLED: Final = 6
SERVER_CORE: Final = ("taskset", "-c", "0")
LOAD_CORE: Final = ("taskset", "-c", "1")
LOCAL: Final = Profile("local")

NGINX: Final = """
daemon off; user {user}; worker_processes 1; pid {root}/pid; error_log {root}/error.log;
events {{ worker_connections 4096; }}
http {{
    types {{ image/gif gif; }}
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=1000;
    client_body_temp_path {root}/a; proxy_temp_path {root}/b; fastcgi_temp_path {root}/c;
    uwsgi_temp_path {root}/d; scgi_temp_path {root}/e;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""
NGINX_PORT: Final = 18_999

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(autouse=True)
def _tools() -> None:
    missing = [tool for tool in ("wrk", "nginx", "taskset") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@contextmanager
def pinned_server() -> Iterator[tuple[TestedServer, int]]:
    """Run the flag server on its own core; yield its client and its process id."""
    with server_process(*SERVER_CORE) as process:
        server = control(process)
        server.start(ServerSettings(LOCAL))
        yield server, process.pid
        close_pipe(process)


@contextmanager
def pinned_nginx(root: Path, flags: Mapping[str, bytes]) -> Iterator[str]:
    """Run nginx on the server's core with the same files; yield its base URL."""
    for country, flag in flags.items():
        code = country.lower()
        (root / "flags" / code).mkdir(parents=True)
        (root / "flags" / code / f"{code}.gif").write_bytes(flag)
    root.chmod(0o755)
    config = root / "nginx.conf"
    config.write_text(NGINX.format(user=getuser(), root=root, port=NGINX_PORT))
    base_url = f"http://127.0.0.1:{NGINX_PORT}"
    with subprocess.Popen([*SERVER_CORE, "nginx", "-p", str(root), "-c", str(config)]) as nginx:
        try:
            await_answer(base_url + FLAG)
            yield base_url
        finally:
            nginx.terminate()


def await_answer(url: str) -> None:
    """Wait for a response, for at most 5 s."""
    deadline_s = monotonic() + 5
    while True:
        try:
            urlopen(url).close()  # noqa: S310  our own address
        except URLError:
            assert monotonic() < deadline_s, "nginx does not answer"
            sleep(0.05)
        else:
            return


def load(url: str, connections: int, seconds: int) -> float:
    """Load a server from the other core, and return the responses per second."""
    command = [*LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}", url]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in printed
    found = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    assert found is not None
    return float(found[1])


def test_rate_is_at_least_four_fifths_of_nginx(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    pairs: list[tuple[float, float]] = []

    def alternate() -> None:
        for number in range(ROUNDS):
            server.open_trial(Opening(f"t{number}", LOCAL, 0))
            ours = load(server.round_url(f"t{number}", 0) + FLAG, 64, 1)
            server.close_trial(f"t{number}")
            pairs.append((ours, load(nginx_url + FLAG, 64, 1)))

    with pinned_server() as (server, _), pinned_nginx(tmp_path, all_flags()) as nginx_url:
        run_once(benchmark, alternate)
    ratios = sorted(ours / theirs for ours, theirs in pairs)
    report(
        benchmark,
        requests_per_s=median(ours for ours, _ in pairs),
        nginx_requests_per_s=median(theirs for _, theirs in pairs),
        ratio=median(ratios),
        ratio_least=ratios[0],
        ratio_most=ratios[-1],
    )
    assert median(ratios) >= 0.8


def test_responses_are_punctual(benchmark: BenchmarkFixture) -> None:
    """At 50 ms and 100 connections: never early, late by at most 1 ms at p50 and 2.5 ms at p99."""
    rounds: list[ServerRound] = []
    earliest_s: list[float] = []

    def repeat() -> None:
        for number in range(ROUNDS):
            server.open_trial(Opening(f"t{number}", Profile("p", Fixed(0.05)), 0))
            load(server.round_url(f"t{number}", 0) + FLAG, 100, 1)
            records = server.records(f"t{number}")[0]
            earliest_s.append(
                min(each.start_s - each.arrival_s - 0.05 for each in records if each.status != UNANSWERED)
            )
            rounds.append(server.close_trial(f"t{number}")[0].server_round)

    with pinned_server() as (server, _):
        run_once(benchmark, repeat)
    p99s = sorted(each.late_p99_s for each in rounds)
    report(
        benchmark,
        late_p50_ms=1e3 * median(each.late_p50_s for each in rounds),
        late_p99_ms=1e3 * median(p99s),
        late_p99_least_ms=1e3 * p99s[0],
        late_p99_most_ms=1e3 * p99s[-1],
        earliest_us=1e6 * min(earliest_s),
    )
    assert min(earliest_s) >= 0
    assert median(each.late_p50_s for each in rounds) <= 0.001
    assert median(p99s) <= 0.0025


def test_hundred_thousand_requests_leave_no_memory_behind(benchmark: BenchmarkFixture) -> None:
    """The allocator keeps some of its memory, so that it is compared once it has settled."""
    memory: list[float] = []
    requests: list[int] = []

    def repeat() -> None:
        for number in range(2 * SETTLED):
            server.open_trial(Opening(f"t{number}", LOCAL, 0))
            load(server.round_url(f"t{number}", 0) + FLAG, 64, 1)
            requests.append(server.close_trial(f"t{number}")[0].server_round.requests)
            memory.append(resident_mib(pid))

    with pinned_server() as (server, pid):
        run_once(benchmark, repeat)
    settled_mib, last_mib = max(memory[:SETTLED]), max(memory[SETTLED:])
    report(benchmark, requests=sum(requests[SETTLED:]), settled_mib=settled_mib, last_mib=last_mib)
    assert sum(requests[SETTLED:]) >= 100_000
    assert last_mib <= settled_mib + 10


def run_once(benchmark: BenchmarkFixture, measure: Callable[[], None]) -> None:
    """Run a measurement that has its own repetitions."""
    benchmark.pedantic(measure, rounds=1)  # type: ignore[no-untyped-call]


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def report(benchmark: BenchmarkFixture, **figures: float) -> None:
    """Store the figures with the benchmark, and print them."""
    benchmark.extra_info.update(figures)
    print("", *(f"{name} {figure:.3f}" for name, figure in figures.items()), sep="\n  ")
