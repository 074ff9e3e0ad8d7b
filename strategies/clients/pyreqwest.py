"""One pyreqwest client for all threads, or for an event loop; it is built on reqwest, in Rust.

It speaks neither TLS nor HTTP/2 here. It trusts the system's authorities beside the one that it is given,
and over HTTP/2 it repeats requests after a GOAWAY; no option of its Python package forbids either.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from pyreqwest.client import ClientBuilder, SyncClientBuilder

from bench.api import Answer, AsyncGet, Body, ClientSettings, Get, JoinedHeaders, collect, collect_async

# reqwest reads a body to its length, drops further bytes, and takes headers of some 400 KiB.
DEVIATIONS = {"surplus_bytes": "ok", "huge_header": "ok"}
CONNECTION_LIMIT = True
GREENLETS = False

Builder = TypeVar("Builder", ClientBuilder, SyncClientBuilder)


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)`` for threads."""
    with _configured(SyncClientBuilder(), settings).build() as client:

        def get(url: str) -> Answer:
            with client.get(url).build_streamed() as response:
                pieces = map(bytes, iter(response.body_reader.read_chunk, None))
                return _answer(response, collect(pieces, settings))

        yield get


@asynccontextmanager
async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:
    """Yield ``get(url)`` for an event loop."""
    async with _configured(ClientBuilder(), settings).build() as client:

        async def get(url: str) -> Answer:
            async with client.get(url).build_streamed() as response:
                return _answer(response, await collect_async(_pieces(response.body_reader), settings))

        yield get


def _configured(builder: Builder, settings: ClientSettings) -> Builder:
    """Set the options of both kinds of client; they keep no cookies by default."""
    kept, connection = (settings.workers, "keep-alive") if settings.keep_alive else (0, "close")
    builder = builder.max_connections(settings.workers).pool_max_idle_per_host(kept)
    builder = builder.timeout(timedelta(seconds=settings.request_timeout_s)).no_proxy()
    builder = builder.follow_redirects(enable=False)
    builder = builder.gzip(enable=False).brotli(enable=False).deflate(enable=False).zstd(enable=False)
    return builder.default_headers({"Accept-Encoding": "identity", "Connection": connection})


async def _pieces(reader: Any) -> AsyncIterator[bytes]:
    while (piece := await reader.read_chunk()) is not None:
        yield bytes(piece)


def _answer(response: Any, body: Body) -> Answer:
    return Answer(response.status, body, JoinedHeaders(response.get_header_all))
