"""One wreq ``Client`` for all threads, or for an event loop; it is written in Rust, and imitates no browser.

Over HTTP/2 it repeats requests after a GOAWAY, which no option of its Python package forbids. So it speaks
only HTTP/1.1 here.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import wreq
import wreq.blocking

from bench.api import Answer, AsyncGet, Body, ClientSettings, Get, JoinedHeaders, collect, collect_async

# wreq reads a body to its length, and drops further bytes of the connection.
DEVIATIONS = {"surplus_bytes": "ok"}
CONNECTION_LIMIT = False  # there are limits of idle connections only
GREENLETS = False


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)`` for threads."""
    with closing(wreq.blocking.Client(**_options(settings))) as client:

        def get(url: str) -> Answer:
            with client.get(url) as response, response.stream() as pieces:
                return _answer(response, collect(map(bytes, pieces), settings))

        yield get


@asynccontextmanager
async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:
    """Yield ``get(url)`` for an event loop."""
    with closing(wreq.Client(**_options(settings))) as client:

        async def get(url: str) -> Answer:
            async with client.get(url) as response, response.stream() as pieces:
                body = await collect_async((bytes(piece) async for piece in pieces), settings)
                return _answer(response, body)

        yield get


def _options(settings: ClientSettings) -> dict[str, Any]:
    """Return the options of both kinds of client; they keep no cookies by default."""
    kept, connection = (settings.workers, "keep-alive") if settings.keep_alive else (0, "close")
    authority = b"" if settings.authority is None else Path(settings.authority).read_bytes()
    return {
        "runtime": wreq.Runtime(),  # ends with the client; the default one stays until the process ends
        "timeout": timedelta(seconds=settings.request_timeout_s),
        "pool_max_idle_per_host": kept,
        "headers": {"Accept-Encoding": "identity", "Connection": connection},
        "http1_only": True,
        # otherwise headers of some 400 KiB would be taken
        "http1_options": wreq.Http1Options(max_buf_size=65_536),
        "redirect": wreq.Policy.none(),
        "no_proxy": True,
        **dict.fromkeys(("gzip", "brotli", "deflate", "zstd"), False),
        "tls_verify": wreq.CertStore.from_pem_stack(authority),
    }


def _answer(response: Any, body: Body) -> Answer:
    headers = response.headers

    def values_of(name: str) -> list[str]:
        return [str(value, "latin-1") for value in headers.get_all(name)]

    return Answer(response.status.as_int(), body, JoinedHeaders(values_of))
