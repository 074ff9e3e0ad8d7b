"""One httpx ``Client`` for all threads (HTTP/2: one per thread), one ``AsyncClient`` for an event loop."""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any

import httpcore
import httpx

from bench.api import Answer, AsyncGet, ClientSettings, Get, PerThread, collect, collect_async

# h11 keeps bytes after a body for the next answer, and httpx ignores them.
DEVIATIONS = {"surplus_bytes": "ok"}
TRIO = True  # AsyncClient runs on whichever loop it finds


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)`` for threads; over HTTP/2 each has its own client, as httpcore has no lock for it."""
    extensions = {"trace": _refuse_retry} if settings.http2 else {}
    options = _options(settings)
    shared_client = None if settings.http2 else httpx.Client(**options)
    with shared_client or nullcontext() as shared, PerThread(lambda: httpx.Client(**options)) as clients:

        def get(url: str) -> Answer:
            client = shared or clients.get()
            with client.stream("GET", url, extensions=extensions) as response:
                return Answer(response.status_code, collect(response.iter_raw(), settings), response.headers)

        yield get


@asynccontextmanager
async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:
    """Yield ``get(url)`` for an event loop."""
    extensions = {"trace": _refuse_retry_async} if settings.http2 else {}
    async with httpx.AsyncClient(**_options(settings)) as client:

        async def get(url: str) -> Answer:
            async with client.stream("GET", url, extensions=extensions) as response:
                body = await collect_async(response.aiter_raw(), settings)
                return Answer(response.status_code, body, response.headers)

        yield get


def _options(settings: ClientSettings) -> dict[str, Any]:
    """Return the options of both kinds of client; retries and redirects are off by default."""
    kept, connection = (settings.workers, "keep-alive") if settings.keep_alive else (0, "close")
    return {
        "limits": httpx.Limits(max_connections=settings.workers, max_keepalive_connections=kept),
        "timeout": settings.request_timeout_s,
        "trust_env": False,
        "http1": not settings.http2,
        "http2": settings.http2,
        "headers": {"Accept-Encoding": "identity", "Connection": connection},
        # The default loads all authorities of certifi, 19 ms a client, even for plain HTTP.
        "verify": settings.tls_context() or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    }


def _refuse_retry(event: str, info: dict[str, Any]) -> None:
    """Fail a request that httpcore would repeat after a GOAWAY."""
    is_repeatable = isinstance(info.get("exception"), httpcore.ConnectionNotAvailable)
    if is_repeatable and event == "http2.receive_response_headers.failed":
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")


async def _refuse_retry_async(event: str, info: dict[str, Any]) -> None:
    _refuse_retry(event, info)
