"""Open the clients of httpx and of its successor httpx2, which have the same interface.

Each client passes its own library, so that neither loads the other's.
"""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any, NamedTuple

from bench.api import Answer, AsyncGet, ClientSettings, Get, PerThread, collect, collect_async


class Library(NamedTuple):
    """A library of this style, and the transport that it is built on: the modules themselves."""

    httpx: Any
    httpcore: Any


@contextmanager
def open_shared_client(settings: ClientSettings, library: Library) -> Iterator[Get]:
    """Yield ``get(url)`` for threads; over HTTP/2 each has its own client, as httpcore has no lock for it."""
    extensions = {"trace": _retry_refusal(library)} if settings.http2 else {}
    new_client, options = library.httpx.Client, _options(settings, library)
    shared_client = None if settings.http2 else new_client(**options)
    with shared_client or nullcontext() as shared, PerThread(lambda: new_client(**options)) as clients:

        def get(url: str) -> Answer:
            client = shared or clients.get()
            with client.stream("GET", url, extensions=extensions) as response:
                return Answer(response.status_code, collect(response.iter_raw(), settings), response.headers)

        yield get


@asynccontextmanager
async def open_loop_client(settings: ClientSettings, library: Library) -> AsyncIterator[AsyncGet]:
    """Yield ``get(url)`` for an event loop."""
    refuse_retry = _retry_refusal(library)

    async def refuse_retry_async(event: str, info: dict[str, Any]) -> None:
        refuse_retry(event, info)

    extensions = {"trace": refuse_retry_async} if settings.http2 else {}
    async with library.httpx.AsyncClient(**_options(settings, library)) as client:

        async def get(url: str) -> Answer:
            async with client.stream("GET", url, extensions=extensions) as response:
                body = await collect_async(response.aiter_raw(), settings)
                return Answer(response.status_code, body, response.headers)

        yield get


def _options(settings: ClientSettings, library: Library) -> dict[str, Any]:
    """Return the options of both kinds of client; retries and redirects are off by default."""
    kept, connection = (settings.workers, "keep-alive") if settings.keep_alive else (0, "close")
    # Requests share one connection over HTTP/2. After an error on it, httpcore2 counts it until it expires.
    most, kept = (None, min(kept, 1)) if settings.http2 else (settings.workers, kept)
    return {
        "limits": library.httpx.Limits(max_connections=most, max_keepalive_connections=kept),
        "timeout": settings.request_timeout_s,
        "trust_env": False,
        "http1": not settings.http2,
        "http2": settings.http2,
        "headers": {"Accept-Encoding": "identity", "Connection": connection},
        # The default loads all authorities of the system or of certifi, 19 ms a client, even for plain HTTP.
        "verify": settings.tls_context() or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    }


def _retry_refusal(library: Library) -> Any:
    """Return a function that fails a request which httpcore would repeat after a GOAWAY."""

    def refuse_retry(event: str, info: dict[str, Any]) -> None:
        is_repeatable = isinstance(info.get("exception"), library.httpcore.ConnectionNotAvailable)
        if is_repeatable and event == "http2.receive_response_headers.failed":
            raise library.httpx.RemoteProtocolError("Server disconnected without sending a response.")

    return refuse_retry
