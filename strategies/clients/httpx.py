"""One httpx ``Client`` for all threads, or for each over HTTP/2; one ``AsyncClient`` for the event loop."""

import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any

import httpcore
import httpx

from bench.api import Answer, AsyncGet, ClientSettings, Get, collect, collect_async

# h11 keeps what comes after a body for the next answer, and httpx never looks at it.
DEVIATIONS = {"surplus_bytes": "ok"}


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)`` for threads.

    Over HTTP/2 each of them has a client of its own, and so a connection: httpcore numbers the streams of
    one that threads share without a lock, and OpenSSL allows no two of them on it at once.
    """
    if settings.http2:
        with _open_http2(settings) as get:
            yield get
        return
    with httpx.Client(**_options(settings)) as client:
        yield lambda url: _answer(client, url, settings)


@contextmanager
def _open_http2(settings: ClientSettings) -> Iterator[Get]:
    mine, options = threading.local(), _options(settings)
    with ExitStack() as clients:

        def get(url: str) -> Answer:
            if not hasattr(mine, "client"):
                mine.client = clients.enter_context(httpx.Client(**options))
            return _answer(mine.client, url, settings, trace=_refuse_retry)

        yield get


def _answer(client: httpx.Client, url: str, settings: ClientSettings, **extensions: Any) -> Answer:
    with client.stream("GET", url, extensions=extensions) as response:
        body = collect(response.iter_raw(), settings)
        return Answer(response.status_code, body, response.headers)


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
    """Return what both kinds of client take; retries and redirects are off by default."""
    kept = settings.workers if settings.keep_alive else 0
    return {
        "limits": httpx.Limits(max_connections=settings.workers, max_keepalive_connections=kept),
        "timeout": settings.request_timeout_s,
        "trust_env": False,
        "http1": not settings.http2,
        "http2": settings.http2,
        "headers": {
            "Accept-Encoding": "identity",
            "Connection": "keep-alive" if settings.keep_alive else "close",
        },
        # The default loads every authority certifi knows, 19 ms a client; plain HTTP asks none of them.
        "verify": settings.tls_context() or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    }


def _refuse_retry(event: str, info: dict[str, Any]) -> None:
    """Fail a request instead of repeating it, as httpcore does by itself after a GOAWAY."""
    if event == "http2.receive_response_headers.failed" and isinstance(
        info["exception"], httpcore.ConnectionNotAvailable
    ):
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")


async def _refuse_retry_async(event: str, info: dict[str, Any]) -> None:
    _refuse_retry(event, info)
