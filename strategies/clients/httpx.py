"""One httpx ``Client`` for all threads, or one ``AsyncClient`` for the event loop."""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx

from bench.api import Answer, AsyncGet, ClientSettings, Get, collect, collect_async


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)`` for threads."""
    with httpx.Client(**_options(settings)) as client:

        def get(url: str) -> Answer:
            with client.stream("GET", url) as response:
                body = collect(response.iter_raw(), settings)
                return Answer(response.status_code, body, response.headers)

        yield get


@asynccontextmanager
async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:
    """Yield ``get(url)`` for an event loop."""
    async with httpx.AsyncClient(**_options(settings)) as client:

        async def get(url: str) -> Answer:
            async with client.stream("GET", url) as response:
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
        "verify": _trusted(settings.authority),
    }


def _trusted(authority: str | None) -> ssl.SSLContext:
    if authority is not None:
        return ssl.create_default_context(cafile=authority)
    # The default loads every authority certifi knows, 19 ms a client; plain HTTP asks none of them.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
