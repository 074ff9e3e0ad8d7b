"""Every client, blocking and asynchronous, against a real server: same outcomes, same details."""

import asyncio
import re
import resource
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bench.api import Fetch, Future, Job
from tests.client_imports import importable_clients
from tests.fetching import fetch_in_turn
from tests.stub_server import Stub, stub_server

pytestmark = pytest.mark.e2e

CLIENTS = importable_clients()
FACES = [(name, face) for name, client in CLIENTS.items() for face in sorted(client.faces)]
every_client = pytest.mark.parametrize(("client", "face"), FACES)


@pytest.fixture
def stub() -> Iterator[Stub]:
    """Serve three flags."""
    with stub_server({"BR": b"GIF of Brazil", "CN": b"GIF of China", "IN": b"GIF of India"}) as stub:
        yield stub


def a_job(stub: Stub, folder: Path, client: str, *countries: str) -> Job:
    """Ask the stub for a few countries."""
    return Job(countries, workers=2, base_url=stub.base_url, folder=folder, client_name=client)


@every_client
def test_flags_are_saved_and_statuses_counted(stub: Stub, tmp_path: Path, client: str, face: str) -> None:
    stub.statuses["CN"] = 418
    job = a_job(stub, tmp_path, client, "BR", "CN", "ZZ")
    fetches = fetch_in_turn(job, face)
    assert [fetch[3:7] for fetch in fetches] == [
        (200, 13, "ok", ""),
        (418, 7, "server_error", ""),
        (404, 7, "not_found", ""),
    ]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"br.gif": b"GIF of Brazil"}
    assert all(fetch.start_s < fetch.end_s for fetch in fetches)


@every_client
def test_keep_alive_reuses_one_connection(stub: Stub, tmp_path: Path, client: str, face: str) -> None:
    """Unless a client declares that it cannot, and then it does not."""
    fetch_in_turn(a_job(stub, tmp_path, client, "BR", "CN", "IN", "ZZ"), face)
    assert (stub.connections, stub.requests.total()) == (1 if CLIENTS[client].keeps_alive else 4, 4)


@every_client
def test_without_keep_alive_every_request_has_its_own_connection(
    stub: Stub, tmp_path: Path, client: str, face: str
) -> None:
    """Even if the server does not close it."""
    stub.ignores_close = True
    job = a_job(stub, tmp_path, client, "BR", "CN", "IN", "ZZ")._replace(keep_alive=False)
    fetch_in_turn(job, face)
    assert (stub.connections, stub.requests.total()) == (4, 4)
    assert stub.headers["Connection"] == "close"


@every_client
def test_identity_encoding_is_requested(stub: Stub, tmp_path: Path, client: str, face: str) -> None:
    fetch_in_turn(a_job(stub, tmp_path, client, "BR"), face)
    assert stub.headers["Accept-Encoding"] == "identity"
    assert stub.requests == {"/flags/br/br.gif": 1}


@every_client
def test_proxies_and_netrc_are_ignored(
    stub: Stub, tmp_path: Path, client: str, face: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    (fetch,) = fetch_in_turn(a_job(stub, tmp_path, client, "BR"), face)
    assert fetch.outcome == "ok"
    assert "Authorization" not in stub.headers


@every_client
def test_dead_server_is_refused(stub: Stub, tmp_path: Path, client: str, face: str) -> None:
    job = a_job(stub, tmp_path, client, "BR")._replace(base_url=f"http://127.0.0.1:{free_port()}")
    (fetch,) = fetch_in_turn(job, face)
    assert (fetch.outcome, fetch.status, fetch.size_bytes) == ("refused", 0, 0)
    assert fetch.detail


@every_client
def test_slow_server_is_a_timeout_after_one_request(
    stub: Stub, tmp_path: Path, client: str, face: str
) -> None:
    stub.delay_s = 0.5
    job = a_job(stub, tmp_path, client, "BR")._replace(request_timeout_s=0.1)
    (fetch,) = fetch_in_turn(job, face)
    assert fetch.outcome == "timeout"
    assert fetch.end_s - fetch.start_s < 0.4
    assert re.fullmatch(r"after 0\.[1-3]\d\d s: \w+(: .+)?", fetch.detail)
    assert stub.requests.total() == 1


@every_client
def test_dripping_body_is_a_timeout(stub: Stub, tmp_path: Path, client: str, face: str) -> None:
    """An event loop does not wait for the rest."""
    stub.drip_s = 0.05
    job = a_job(stub, tmp_path, client, "BR")._replace(request_timeout_s=0.2)
    (fetch,) = fetch_in_turn(job, face)
    assert fetch.outcome == "timeout"
    assert list(tmp_path.iterdir()) == []
    assert fetch.end_s - fetch.start_s < (0.5 if face == "async" else 2.0)


@every_client
def test_missing_descriptor_is_a_local_resource_error(
    stub: Stub, tmp_path: Path, client: str, face: str
) -> None:
    job = a_job(stub, tmp_path, client, "BR", "CN")._replace(keep_alive=False)
    with few_descriptors() as watcher:
        fetches = fetch_in_turn(job._replace(watcher=watcher), face)
    assert [fetch.outcome for fetch in fetches] == ["ok", "local_resource"]
    assert "Too many open files" in fetches[1].detail


@every_client
def test_closed_keep_alive_connection_is_not_retried(
    stub: Stub, tmp_path: Path, client: str, face: str
) -> None:
    stub.requests_per_connection = 1
    fetches = fetch_in_turn(a_job(stub, tmp_path, client, "BR", "CN"), face)
    assert [fetch.status for fetch in fetches] == [200, 0 if CLIENTS[client].keeps_alive else 200]
    assert stub.requests.total() == 2


@every_client
def test_redirects_are_not_followed(stub: Stub, tmp_path: Path, client: str, face: str) -> None:
    stub.statuses["BR"] = 302
    (fetch,) = fetch_in_turn(a_job(stub, tmp_path, client, "BR"), face)
    assert (fetch.status, fetch.outcome) == (302, "redirect")
    assert stub.requests.total() == 1


@pytest.mark.long
@every_client
def test_connections_equal_workers_beyond_library_limits(
    stub: Stub, tmp_path: Path, client: str, face: str
) -> None:
    """Some libraries stop at 10 or 100 by default."""
    stub.delay_s = 1.5
    countries = ("BR", "CN", "IN") * 35
    job = a_job(stub, tmp_path, client, *countries)._replace(workers=len(countries))
    fetches = fetch_at_once(job, face)
    assert {fetch.outcome for fetch in fetches} == {"ok"}
    assert (stub.peak, stub.connections) == (105, 105)


class Miser:
    """A watcher that allows no further descriptors once a fetch has ended."""

    def fetched(self, fetch: Fetch) -> None:  # noqa: ARG002  as every watcher
        """Lower the limit to the three that every process has."""
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, most))

    def future(self, country: str, future: Future) -> None:
        """Look away."""


@contextmanager
def few_descriptors() -> Iterator[Miser]:
    """Yield a miser, and raise the limit again in the end."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        yield Miser()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def fetch_at_once(job: Job, face: str) -> list[Fetch]:
    """Download every flag at the same time."""
    if face == "sync":
        with job.client() as download_one, ThreadPoolExecutor(job.workers) as executor:
            return list(executor.map(download_one, job.countries))

    async def supervise() -> list[Fetch]:
        async with job.async_client() as download_one:
            return await asyncio.gather(*map(download_one, job.countries))

    return asyncio.run(supervise())


def free_port() -> int:
    """Return a port of the loopback on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def test_aiohttp_still_has_its_private_retry_switch() -> None:
    """Without it, a broken connection would be retried unseen."""
    assert "_retry_connection" in ClientSession.ATTRS
