"""Test the server in the foreground."""

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
from bench.model.server_settings import ServerSettings, check_host
from bench.server.listeners import base_url
from bench.server.serve import serve


def fetch_then(signal_number: int, fetched: list[bytes], url: str) -> None:
    """Fetch a flag, then send this process a signal."""
    with urlopen(f"{url}/flags/br/br.gif", timeout=5) as response:  # noqa: S310  our own server
        fetched.append(response.read())
    os.kill(os.getpid(), signal_number)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_serve_answers_until_a_signal_and_appends_to_the_log(tmp_path: Path, signal_number: int) -> None:
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


def test_unwritable_log_is_reported_before_serving(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="the log cannot be written"):
        serve(ServerSettings(Profile("p")), print, log_file=tmp_path)


@pytest.mark.parametrize(
    ("host", "bound"), [("localhost", "127.0.0.1"), ("::1", "::1"), ("127.0.0.9", "127.0.0.9")]
)
def test_loopback_addresses_are_allowed(host: str, bound: str) -> None:
    assert check_host(host, allow_remote=False) == bound


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104  to be refused
def test_remote_address_needs_explicit_permission(host: str) -> None:
    with pytest.raises(UsageError, match="give --allow-remote"):
        serve(ServerSettings(Profile("p"), host=host), print)
    assert check_host(host, allow_remote=True) == host


def test_ipv6_address_has_brackets_in_the_url() -> None:
    assert base_url("127.0.0.1", 80) == "http://127.0.0.1:80"
    assert base_url("::1", 80) == "http://[::1]:80"
