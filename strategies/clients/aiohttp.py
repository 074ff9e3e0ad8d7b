"""One aiohttp ``ClientSession`` for the event loop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from bench.api import Answer, AsyncGet, ClientSettings, collect_async

CONNECTION_LIMIT = True


@asynccontextmanager
async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:
    """Yield ``get(url)`` for an event loop."""
    connector = aiohttp.TCPConnector(
        limit=settings.workers, force_close=not settings.keep_alive, ssl=settings.tls_context() or True
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=settings.request_timeout_s),
        headers={"Accept-Encoding": "identity"},
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    ) as session:
        # aiohttp repeats a GET whose kept connection broke, and has no public option against it.
        session._retry_connection = False  # noqa: SLF001

        async def get(url: str) -> Answer:
            async with session.get(url, allow_redirects=False) as response:
                body = await collect_async(response.content.iter_any(), settings)
                return Answer(response.status, body, response.headers)

        yield get
