"""One niquests ``Session`` for all threads, one ``AsyncSession`` for an event loop."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import niquests

from bench.api import Answer, AsyncGet, ClientSettings, Get, collect, collect_async

OWN_ENVIRONMENT = ("niquests",)  # it brings urllib3-future, which takes the place of urllib3
# A reset is taken for the end of the connection, and bytes after a body are ignored.
DEVIATIONS = {"surplus_bytes": "ok", "reset_before_headers": "disconnected", "reset_mid_body": "truncated"}


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)`` for threads, which may share a session."""
    with niquests.Session(**_options(settings)) as session:
        session.trust_env = False

        def get(url: str) -> Answer:
            with _bad_length_named(), session.get(url, stream=True, allow_redirects=False) as response:
                return Answer(response.status_code, collect(response.iter_raw(), settings), response.headers)

        yield get


@asynccontextmanager
async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:
    """Yield ``get(url)`` for an event loop."""
    async with niquests.AsyncSession(**_options(settings)) as session:
        session.trust_env = False

        async def get(url: str) -> Answer:
            with _bad_length_named():
                response = await session.get(url, stream=True, allow_redirects=False)
                async with response:
                    body = await collect_async(await response.iter_raw(), settings)
                    return Answer(response.status_code, body, response.headers)

        yield get


def _options(settings: ClientSettings) -> dict[str, Any]:
    connection = "keep-alive" if settings.keep_alive else "close"
    return {
        "retries": 0,
        "timeout": settings.request_timeout_s,
        "pool_maxsize": settings.workers,
        "disable_http1": settings.http2,
        "disable_http2": not settings.http2,
        "disable_http3": True,
        "keepalive_delay": None,  # no pings
        "verify": settings.authority,
        "revocation_configuration": None,
        "allow_incoming_cookies": False,
        "headers": {"Accept-Encoding": "identity", "Connection": connection},
    }


@contextmanager
def _bad_length_named() -> Iterator[None]:
    try:
        yield
    except ValueError as error:  # over HTTP/2, of ``int``
        raise niquests.exceptions.InvalidHeader(str(error)) from error
