"""One pyqwest transport for all threads, or for an event loop; it is built on reqwest, in Rust.

Over HTTP/2 it repeats requests after a GOAWAY, which no option of its Python package forbids. So it speaks
only HTTP/1.1 here.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from pyqwest import Headers, HTTPTransport, HTTPVersion, Proxy, Request, SyncHTTPTransport, SyncRequest

from bench.api import Answer, AsyncGet, ClientSettings, Get, JoinedHeaders, collect, collect_async

# reqwest reads a body to its length, drops further bytes, and takes headers of some 400 KiB.
DEVIATIONS = {"surplus_bytes": "ok", "huge_header": "ok"}
# Its limit is not kept when many requests begin at once: of 10 with a limit of 2, now and then all connect.
CONNECTION_LIMIT = False
GREENLETS = False


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)`` for threads."""
    headers = _headers(settings)
    with SyncHTTPTransport(**_options(settings)) as transport:

        def get(url: str) -> Answer:
            with transport.execute_sync(SyncRequest("GET", url, headers)) as response:
                body = collect(map(bytes, response.content), settings)
                return Answer(response.status, body, JoinedHeaders(response.headers.getall))

        yield get


@asynccontextmanager
async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:
    """Yield ``get(url)`` for an event loop."""
    headers = _headers(settings)
    async with HTTPTransport(**_options(settings)) as transport:

        async def get(url: str) -> Answer:
            async with await transport.execute(Request("GET", url, headers)) as response:
                body = await collect_async((bytes(piece) async for piece in response.content), settings)
                return Answer(response.status, body, JoinedHeaders(response.headers.getall))

        yield get


def _headers(settings: ClientSettings) -> Headers:
    kept = "keep-alive" if settings.keep_alive else "close"
    return Headers([("Accept-Encoding", "identity"), ("Connection", kept)])


def _options(settings: ClientSettings) -> dict[str, Any]:
    """Return the options of both kinds of client; it keeps no cookies by default."""
    return {
        "http_version": HTTPVersion.HTTP1,
        "timeout": settings.request_timeout_s,
        "pool_max_idle_per_host": settings.workers if settings.keep_alive else 0,
        "follow_redirects": False,
        **dict.fromkeys(("enable_gzip", "enable_brotli", "enable_zstd", "enable_otel"), False),
        # Without a proxy, those of the environment would be used; to this one goes nothing.
        "proxy": Proxy("http://localhost", no_proxy="*, 0.0.0.0/0, ::/0"),
        "tls_ca_cert": None if settings.authority is None else Path(settings.authority).read_bytes(),
    }
