"""The server in the foreground: announced, logged, stopped by a signal."""

import json
import os
import signal
import threading
from pathlib import Path
from urllib.request import urlopen

import pytest

from bench.errors import SetupError, UsageError
from bench.model.cases import Profile
from bench.model.flags import all_flags
from bench.server.serve import serve
from bench.server.settings import ServerSettings, base_url, checked_host


def fetch_then(signal_number: int, fetched: list[bytes], url: str) -> None:
    """Get a flag, then send this process a signal."""
    with urlopen(f"{url}/flags/br/br.gif", timeout=5) as response:  # noqa: S310  our own server
        fetched.append(response.read())
    os.kill(os.getpid(), signal_number)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_logs_each_request(tmp_path: Path, signal_number: int) -> None:
    """Ctrl-C is the normal way to end it, and no error; the log is added to."""
    log_file = tmp_path / "requests.jsonl"
    log_file.write_text("{}\n")
    fetched: list[bytes] = []
    clients = []

    def announce(url: str) -> None:
        client = threading.Thread(target=fetch_then, args=(signal_number, fetched, url))
        clients.append(client)
        client.start()

    serve(ServerSettings(Profile("local")), announce, log_file=log_file)
    clients[0].join()
    assert fetched == [all_flags()["BR"]]
    _, line = log_file.read_text().splitlines()
    logged = json.loads(line)
    assert (logged["country"], logged["status"], logged["connection"]) == ("BR", 200, 1)
    assert logged["arrival_s"] <= logged["start_s"] <= logged["end_s"]


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Before anything is served."""
    with pytest.raises(SetupError, match="the log cannot be written"):
        serve(ServerSettings(Profile("p")), print, log_file=tmp_path)


@pytest.mark.parametrize(
    ("host", "bound"), [("localhost", "127.0.0.1"), ("::1", "::1"), ("127.0.0.9", "127.0.0.9")]
)
def test_this_machine_may_be_named_in_several_ways(host: str, bound: str) -> None:
    """All of them are loopback."""
    assert checked_host(host, allow_remote=False) == bound


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104  to be refused
def test_other_machines_are_served_only_where_that_is_allowed(host: str) -> None:
    """The refusal says so."""
    with pytest.raises(UsageError, match="allow remote access explicitly"):
        serve(ServerSettings(Profile("p"), host=host), print)
    assert checked_host(host, allow_remote=True) == host


def test_an_address_is_a_url_of_its_family() -> None:
    """IPv6 needs brackets (RFC 3986)."""
    assert base_url("127.0.0.1", 80) == "http://127.0.0.1:80"
    assert base_url("::1", 80) == "http://[::1]:80"
