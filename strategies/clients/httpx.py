"""One httpx ``Client`` for all threads (HTTP/2: one per thread), one ``AsyncClient`` for an event loop.

How they are opened and used is in ``_httpx_style``, which the successor httpx2 shares.
"""

from contextlib import AbstractAsyncContextManager, AbstractContextManager

import httpcore
import httpx

from bench.api import AsyncGet, ClientSettings, Get
from strategies.clients._httpx_style import Library, open_loop_client, open_shared_client

SPEAKS = ("tls", "http2")
# h11 keeps bytes after a body for the next answer, and httpx ignores them.
DEVIATIONS = {"surplus_bytes": "ok"}
TRIO = True  # AsyncClient runs on whichever loop it finds
CONNECTION_LIMIT = True


def open_client(settings: ClientSettings) -> AbstractContextManager[Get]:
    """Yield ``get(url)`` for threads."""
    return open_shared_client(settings, Library(httpx, httpcore))


def open_async_client(settings: ClientSettings) -> AbstractAsyncContextManager[AsyncGet]:
    """Yield ``get(url)`` for an event loop."""
    return open_loop_client(settings, Library(httpx, httpcore))
