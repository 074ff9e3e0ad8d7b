"""One httpx2 ``Client`` for all threads (HTTP/2: one per thread), one ``AsyncClient`` for an event loop.

It is Pydantic's successor of httpx with the same interface, so ``_httpx_style`` opens and uses both.
"""

from contextlib import AbstractAsyncContextManager, AbstractContextManager

import httpcore2
import httpx2

from bench.api import AsyncGet, ClientSettings, Get
from strategies.clients._httpx_style import Library, open_loop_client, open_shared_client

SPEAKS = ("tls", "http2")
# h11 keeps bytes after a body for the next answer, and httpx2 ignores them.
DEVIATIONS = {"surplus_bytes": "ok"}
TRIO = True  # AsyncClient runs on whichever loop it finds
CONNECTION_LIMIT = True


def open_client(settings: ClientSettings) -> AbstractContextManager[Get]:
    """Yield ``get(url)`` for threads."""
    return open_shared_client(settings, Library(httpx2, httpcore2))


def open_async_client(settings: ClientSettings) -> AbstractAsyncContextManager[AsyncGet]:
    """Yield ``get(url)`` for an event loop."""
    return open_loop_client(settings, Library(httpx2, httpcore2))
