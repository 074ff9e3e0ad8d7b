"""The multi handle of libcurl in an event loop: its timers, its connections, and ends from outside."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pycurl
import pytest
import trustme

from bench.api import AsyncGet, ClientSettings, Job
from strategies.clients.pycurl import open_async_client
from tests.fault_server import fault_server
from tests.fault_server_http2 import serve_http2
from tests.stub_server import Stub, stub_server

pytestmark = pytest.mark.e2e

SETTINGS = ClientSettings(workers=4, keep_alive=True, request_timeout_s=10.0)


@pytest.fixture
def stub() -> Iterator[Stub]:
    """Serve a flag."""
    with stub_server({"BR": b"GIF of Brazil"}) as stub:
        yield stub


def converse(settings: ClientSettings, talk: Callable[[AsyncGet], Awaitable[None]]) -> None:
    """Let a client talk."""

    async def supervise() -> None:
        async with open_async_client(settings) as get:
            await talk(get)

    asyncio.run(supervise())


def test_time_out_of_a_later_download_comes_although_the_timer_was_set_for_an_earlier_one(
    stub: Stub,
) -> None:
    async def talk(get: AsyncGet) -> None:
        assert (await get(f"{stub.base_url}/flags/br/br.gif")).status == 200
        await asyncio.sleep(0.2)
        stub.delay_s = 2.0
        begun_s = time.perf_counter()
        with pytest.raises(pycurl.error, match="timed out"):
            await get(f"{stub.base_url}/flags/br/br.gif")
        assert 0.29 < time.perf_counter() - begun_s < 1.0

    converse(SETTINGS._replace(request_timeout_s=0.3), talk)


def test_cancelled_download_ends_its_connection_and_no_other(stub: Stub) -> None:
    async def talk(get: AsyncGet) -> None:
        stub.delay_s = 0.3
        others = [asyncio.ensure_future(get(f"{stub.base_url}/flags/br/br.gif")) for _ in range(3)]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await get(f"{stub.base_url}/flags/br/br.gif")
        assert [(await other).body for other in others] == [b"GIF of Brazil"] * 3
        stub.delay_s = 0.0
        assert (await get(f"{stub.base_url}/flags/br/br.gif")).status == 200
        assert (stub.connections, stub.requests.total()) == (4, 5)

    converse(SETTINGS, talk)


def test_downloads_beyond_the_connections_wait_for_them(stub: Stub) -> None:
    async def talk(get: AsyncGet) -> None:
        stub.delay_s = 0.01
        answers = await asyncio.gather(*(get(f"{stub.base_url}/flags/br/br.gif") for _ in range(40)))
        assert {answer.body for answer in answers} == {b"GIF of Brazil"}
        assert (stub.peak, stub.connections, stub.requests.total()) == (4, 4, 40)

    converse(SETTINGS, talk)


def test_downloads_over_http2_share_one_connection(tmp_path: Path) -> None:
    authority, pem = trustme.CA(), tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    context.set_alpn_protocols(["h2"])

    async def supervise(job: Job) -> list[str]:
        async with job.async_client() as download_one:
            return [fetch.outcome for fetch in await asyncio.gather(*map(download_one, job.countries))]

    with fault_server({}, context, serve_http2) as server:
        job = Job(("BR",) * 8, 8, server.base_url, tmp_path, "pycurl", authority=str(pem), http2=True)
        assert asyncio.run(supervise(job)) == ["ok"] * 8
    assert (server.connections, server.hits) == (1, {"BR": 8})
