"""Test the flag server as a process that is controlled over its pipes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import pytest

from bench.errors import ServerDiedError, SetupError, UsageError
from bench.model.cases import Fault, Fixed, Profile
from bench.model.planned_delays import plan_delay
from bench.model.served_trials import Opening
from bench.model.server_settings import ServerSettings
from bench.server.control_client import FlagServer, server_command
from tests.builders import status_of
from tests.server_process import (
    TestedServer,
    close_pipe,
    control,
    running_server,
    server_environment,
    server_process,
)

SETTINGS = ServerSettings(Profile("local"))
HALF_FAIL = Profile("half", faults=(Fault("status", 0.5, 418),))
TWICE = Opening("twice", HALF_FAIL, 0)


@pytest.fixture(scope="module")
def server() -> Iterator[TestedServer]:
    """Run one server for the tests that do not end it."""
    with running_server(SETTINGS) as running:
        yield running


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Start a server's process for one test."""
    with server_process() as started:
        yield started


def statuses(base_url: str, *countries: str) -> list[int]:
    """Fetch flags over one connection, and return their statuses."""
    address = urlsplit(base_url)
    connection = HTTPConnection(address.netloc, timeout=10)
    found = []
    for code in countries:
        connection.request("GET", f"{address.path}/flags/{code}/{code}.gif")
        response = connection.getresponse()
        response.read()
        found.append(response.status)
    connection.close()
    return found


def test_each_trial_meets_the_faults_of_its_block_and_every_round_the_same(server: TestedServer) -> None:
    server.open_trial(Opening("a", HALF_FAIL, 3))
    server.open_trial(Opening("b", HALF_FAIL, 4))
    asked = ["br"] * 12
    expected = {
        block: [status_of(plan_delay(HALF_FAIL, 1, block, "BR", attempt)) for attempt in range(12)]
        for block in (3, 4)
    }
    assert expected[3] != expected[4]
    assert statuses(server.round_url("a", 0), *asked) == expected[3]
    assert statuses(server.round_url("b", 0), *asked) == expected[4]
    assert statuses(server.round_url("a", 1), *asked) == expected[3]
    assert set(server.close_trial("a")) == {0, 1}
    assert set(server.close_trial("b")) == {0}


def test_closing_a_trial_returns_its_rounds_and_its_urls_become_404(server: TestedServer) -> None:
    server.open_trial(Opening("c", Profile("p", Fixed(0.01)), 0))
    statuses(server.round_url("c", 0), "br")
    statuses(server.round_url("c", 0), "fr", "zz")
    statuses(server.round_url("c", 2), "br")
    records = server.records("c")
    assert [(each.country, each.status) for each in records[0]] == [("BR", 200), ("FR", 200), ("ZZ", 404)]
    seen = {number: said.server_round for number, said in server.close_trial("c").items()}
    assert {number: (each.requests, each.connections) for number, each in seen.items()} == {
        0: (3, 2),
        2: (1, 1),
    }
    assert seen[0].max_in_flight == 1
    assert 0 <= seen[0].late_p50_s <= seen[0].late_p99_s
    assert statuses(server.round_url("c", 0), "br") == [404]


def test_closing_a_trial_counts_requests_that_were_never_answered(server: TestedServer) -> None:
    """A client that gave up, or was killed, has still sent its requests."""
    server.open_trial(Opening("given-up", Profile("p", Fixed(5)), 0))
    address = urlsplit(server.round_url("given-up", 1))
    request = f"GET {address.path}/flags/br/br.gif HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=1) as waiting:
        waiting.sendall(request * 100)
        with socket.create_connection((str(address.hostname), address.port or 0)) as gone:
            gone.sendall(request)
        statuses(server.base_url, "br")  # what was sent before this has been read
        observed = server.close_trial("given-up")[1].server_round
        assert (observed.requests, observed.connections, observed.max_in_flight) == (101, 2, 101)
        with suppress(ConnectionResetError):
            assert waiting.recv(1) == b""


@pytest.mark.skipif(sys.platform != "linux", reason="another process's processor time is read from /proc")
def test_work_of_a_round_is_counted_from_its_first_connection_to_its_last_response(
    process: subprocess.Popen[bytes],
) -> None:
    """Twenty connections with one request each; closing them all is no work for the round."""
    server = control(process)
    server.start(SETTINGS)
    server.open_trial(Opening("t", Profile("at once"), 0))
    address = urlsplit(server.base_url)
    worked_s = []
    for number in range(15):
        path = urlsplit(server.round_url("t", number)).path
        before_s = settled_processor_time_s(process.pid)
        with ExitStack() as stack:
            connections = [
                stack.enter_context(socket.create_connection((address.hostname, address.port)))
                for _ in range(20)
            ]
            for connection in connections:
                connection.sendall(f"GET {path}/flags/br/br.gif HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            for connection in connections:
                assert connection.recv(100_000)
            worked_s.append(processor_time_s(process.pid) - before_s)
    seen = server.close_trial("t")
    shares = [seen[number].cpu_s / each for number, each in enumerate(worked_s)]
    assert 0.93 < median(shares) < 1.2, shares


def settled_processor_time_s(pid: int) -> float:
    """Wait until a process is idle, and return the processor time that it has used."""
    before_s, now_s = -1.0, processor_time_s(pid)
    while now_s > before_s:
        time.sleep(0.02)
        before_s, now_s = now_s, processor_time_s(pid)
    return now_s


def processor_time_s(pid: int) -> float:
    """Return the processor time that a process has used."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def test_requests_outside_trials_meet_the_profile_of_the_settings() -> None:
    """Attempts are counted since the server started, in block 0."""
    expected = [status_of(plan_delay(HALF_FAIL, 5, 0, "BR", attempt)) for attempt in range(12)]
    with running_server(ServerSettings(HALF_FAIL, seed=5)) as server:
        assert statuses(server.base_url, *["br"] * 5) == expected[:5]
        assert statuses(server.base_url, *["br"] * 7) == expected[5:]


def test_only_the_flags_of_a_given_folder_are_served(tmp_path: Path) -> None:
    (tmp_path / "br.gif").write_bytes(b"GIF89a theirs")
    with running_server(ServerSettings(Profile("p"), flags_dir=tmp_path)) as server:
        assert statuses(server.base_url, "br", "fr") == [200, 404]


def test_server_listens_on_ipv6() -> None:
    with running_server(replace(SETTINGS, host="::1")) as server:
        assert server.base_url.startswith("http://[::1]:")
        assert statuses(server.base_url, "br") == [200]


@pytest.mark.parametrize(
    ("act", "complaint"),
    [
        (lambda server: server.open_trial(Opening("a/b", HALF_FAIL, 0)), "cannot be part of an address"),
        (lambda server: server.open_trial(Opening("a.b", HALF_FAIL, 0)), "cannot be part of an address"),
        (lambda server: server.close_trial("x"), "trial 'x' is not open"),
        (lambda server: server.records("x"), "trial 'x' is not open"),
        (lambda server: server.start(SETTINGS), "started already"),
        (lambda server: [server.open_trial(TWICE) for _ in range(2)], "is open already"),
    ],
)
def test_invalid_calls_are_refused_and_the_server_continues(
    server: TestedServer, act: Callable[[TestedServer], object], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        act(server)
    assert statuses(server.base_url, "br") == [200]


def test_unknown_control_line_is_answered_with_an_error(process: subprocess.Popen[bytes]) -> None:
    for line in (b"nonsense\n", b'{"dance": 1}\n', b'{"close": "t"}\n'):
        process.stdin.write(line)  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        assert process.stdout.readline().startswith(b'{"error":{"kind":')  # type: ignore[union-attr]


def test_port_in_use_is_named_and_another_can_be_tried(process: subprocess.Popen[bytes]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = control(process)
        with pytest.raises(SetupError, match=f"port {port} of 127.0.0.1 is in use; choose another"):
            server.start(replace(SETTINGS, port=port))
    server.start(SETTINGS)
    assert statuses(server.base_url, "br") == [200]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104  to be refused
def test_runner_cannot_open_the_server_to_other_machines(process: subprocess.Popen[bytes], host: str) -> None:
    with pytest.raises(UsageError, match=r"127\.0\.0\.1"):
        control(process).start(replace(SETTINGS, host=host))


def test_folder_without_flags_is_reported_at_the_start(
    process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    with pytest.raises(SetupError, match="no flag found"):
        control(process).start(replace(SETTINGS, flags_dir=tmp_path))


def test_closing_the_pipe_ends_the_server(process: subprocess.Popen[bytes]) -> None:
    """Ctrl-C and open connections make no difference."""
    server = control(process)
    server.start(SETTINGS)
    address = urlsplit(server.base_url)
    with socket.create_connection((str(address.hostname), address.port or 0)):
        process.send_signal(signal.SIGINT)
        assert statuses(server.base_url, "br") == [200]
        close_pipe(process)
        assert process.wait(5) == 0


def test_dead_server_raises_server_died(process: subprocess.Popen[bytes]) -> None:
    """Twice: writing to the pipe and reading from it fail in different ways."""
    server = control(process)
    server.start(SETTINGS)
    process.kill()
    process.wait()
    for _ in range(2):
        with pytest.raises(ServerDiedError, match="is gone"):
            server.open_trial(Opening("t", HALF_FAIL, 0))
    close_pipe(process)


def test_server_that_does_not_reply_raises_server_died(process: subprocess.Popen[bytes]) -> None:
    server = control(process, reply_limit_s=0.2)
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(ServerDiedError, match=r"has not replied for 0\.2 s"):
        server.start(SETTINGS)


def test_closed_pipe_raises_server_died() -> None:
    to_server = BytesIO()
    to_server.close()
    with pytest.raises(ServerDiedError):
        FlagServer(to_server, BytesIO()).open_trial(Opening("t", HALF_FAIL, 0))


def test_server_ignores_a_foreign_bench_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "__init__.py").write_text("raise SystemExit('foreign')")
    done = subprocess.run(
        server_command(), cwd=tmp_path, env=server_environment(), input=b"", capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_control_client_imports_no_server_libraries() -> None:
    code = "import bench.server.control_client, sys; print(*{'asyncio', 'httptools'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=server_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"
