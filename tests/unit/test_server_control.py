"""The flag server as a process: started, told, asked and stopped over its pipes."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.errors import ServerDiedError, SetupError, UsageError
from bench.model.cases import Fault, Fixed, Profile
from bench.model.planned_delays import plan_delay
from bench.server.control_client import FlagServer, server_command
from bench.server.open_trials import Opening
from bench.server.settings import ServerSettings
from tests.builders import status_of
from tests.server_process import (
    TestedServer,
    handle,
    hang_up,
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
    """Start a server's process that a test may do with as it likes."""
    with server_process() as started:
        yield started


def statuses(base_url: str, *countries: str) -> list[int]:
    """Fetch flags over one connection and return what became of each."""
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


def test_a_trial_has_its_own_weather_by_block_and_starts_anew_each_round(server: TestedServer) -> None:
    """Rounds of a trial meet the same weather; another block meets another."""
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


def test_a_closed_trial_yields_what_was_seen_and_is_gone(server: TestedServer) -> None:
    """Each round has its own witness; afterwards there is nothing below the prefix."""
    server.open_trial(Opening("c", Profile("p", Fixed(0.01)), 0))
    statuses(server.round_url("c", 0), "br")
    statuses(server.round_url("c", 0), "fr", "zz")
    statuses(server.round_url("c", 2), "br")
    records = server.records("c")
    assert [(each.country, each.status) for each in records[0]] == [("BR", 200), ("FR", 200), ("ZZ", 404)]
    seen = {number: said.witness for number, said in server.close_trial("c").items()}
    assert {number: (each.requests, each.connections) for number, each in seen.items()} == {
        0: (3, 2),
        2: (1, 1),
    }
    assert seen[0].max_in_flight == 1
    assert 0 <= seen[0].late_p50_s <= seen[0].late_p99_s
    assert statuses(server.round_url("c", 0), "br") == [404]


def test_closing_a_trial_counts_the_requests_in_flight(server: TestedServer) -> None:
    """A client that gave up, or whose process was ended, asked nevertheless; no answer follows."""
    server.open_trial(Opening("given-up", Profile("p", Fixed(5)), 0))
    address = urlsplit(server.round_url("given-up", 1))
    request = f"GET {address.path}/flags/br/br.gif HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=1) as waiting:
        waiting.sendall(request * 100)
        with socket.create_connection((str(address.hostname), address.port or 0)) as gone:
            gone.sendall(request)
        statuses(server.base_url, "br")  # what was sent before this has been read
        witness = server.close_trial("given-up")[1].witness
        assert (witness.requests, witness.connections, witness.max_in_flight) == (101, 2, 101)
        with suppress(ConnectionResetError):
            assert waiting.recv(1) == b""


def test_what_is_asked_outside_trials_meets_the_profile_of_the_start() -> None:
    """Attempts are counted since the server started, in block 0."""
    expected = [status_of(plan_delay(HALF_FAIL, 5, 0, "BR", attempt)) for attempt in range(12)]
    with running_server(ServerSettings(HALF_FAIL, seed=5)) as server:
        assert statuses(server.base_url, *["br"] * 5) == expected[:5]
        assert statuses(server.base_url, *["br"] * 7) == expected[5:]


def test_flags_of_a_folder_are_served(tmp_path: Path) -> None:
    """And the others are not found."""
    (tmp_path / "br.gif").write_bytes(b"GIF89a theirs")
    with running_server(ServerSettings(Profile("p"), flags_dir=tmp_path)) as server:
        assert statuses(server.base_url, "br", "fr") == [200, 404]


def test_the_server_listens_on_ipv6_where_asked() -> None:
    """Its address is then written in brackets."""
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
        (
            lambda server: [server.open_trial(TWICE) for _ in range(2)],
            "is open already",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_and_the_server_goes_on(
    server: TestedServer, act: Callable[[TestedServer], object], complaint: str
) -> None:
    """A mistake of the harness is told to the harness."""
    with pytest.raises(UsageError, match=complaint):
        act(server)
    assert statuses(server.base_url, "br") == [200]


def test_a_line_it_does_not_know_is_answered_with_an_error(process: subprocess.Popen[bytes]) -> None:
    """Neither silence nor death."""
    for line in (b"nonsense\n", b'{"dance": 1}\n', b'{"close": "t"}\n'):
        process.stdin.write(line)  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        assert process.stdout.readline().startswith(b'{"error":{"kind":')  # type: ignore[union-attr]


def test_a_port_in_use_is_a_fault_of_the_environment(process: subprocess.Popen[bytes]) -> None:
    """It is named, and the server can be started on another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = handle(process)
        with pytest.raises(SetupError, match=f"port {port} of 127.0.0.1 is in use; choose another"):
            server.start(replace(SETTINGS, port=port))
    server.start(SETTINGS)
    assert statuses(server.base_url, "br") == [200]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104  to be refused
def test_only_this_machine_is_served(process: subprocess.Popen[bytes], host: str) -> None:
    """The harness has no way to open the server to others."""
    with pytest.raises(UsageError, match=r"127\.0\.0\.1"):
        handle(process).start(replace(SETTINGS, host=host))


def test_flags_that_cannot_be_found_are_a_fault_of_the_environment(
    process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """Before the first trial, with the folder's name."""
    with pytest.raises(SetupError, match="no flag found"):
        handle(process).start(replace(SETTINGS, flags_dir=tmp_path))


def test_the_end_of_its_pipe_ends_the_server(process: subprocess.Popen[bytes]) -> None:
    """No orphan is left, connections and signals of the terminal notwithstanding."""
    server = handle(process)
    server.start(SETTINGS)
    address = urlsplit(server.base_url)
    with socket.create_connection((str(address.hostname), address.port or 0)):
        process.send_signal(signal.SIGINT)
        assert statuses(server.base_url, "br") == [200]
        hang_up(process)
        assert process.wait(5) == 0


def test_a_dead_server_is_reported_as_such(process: subprocess.Popen[bytes]) -> None:
    """Never blamed on a strategy, whichever way the pipe breaks."""
    server = handle(process)
    server.start(SETTINGS)
    process.kill()
    process.wait()
    for _ in range(2):
        with pytest.raises(ServerDiedError, match="is gone"):
            server.open_trial(Opening("t", HALF_FAIL, 0))
    hang_up(process)


def test_a_server_that_does_not_reply_is_given_up(process: subprocess.Popen[bytes]) -> None:
    """A stopped process neither answers nor closes its pipe."""
    server = handle(process, reply_limit_s=0.2)
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(ServerDiedError, match=r"has not replied for 0\.2 s"):
        server.start(SETTINGS)


def test_a_closed_pipe_is_a_dead_server() -> None:
    """A handle that was stopped cannot be used again."""
    to_server = BytesIO()
    to_server.close()
    with pytest.raises(ServerDiedError):
        FlagServer(to_server, BytesIO()).open_trial(Opening("t", HALF_FAIL, 0))


def test_the_process_is_not_led_astray_by_a_foreign_bench(tmp_path: Path) -> None:
    """Python -P keeps the current folder off the path."""
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "__init__.py").write_text("raise SystemExit('foreign')")
    done = subprocess.run(
        server_command(), cwd=tmp_path, env=server_environment(), input=b"", capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_handle_needs_no_server_libraries() -> None:
    """The harness stays quick to start."""
    code = "import bench.server.control_client, sys; print(*{'asyncio', 'httptools'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=server_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"
