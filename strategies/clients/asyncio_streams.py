"""HTTP/1.1 by hand over the streams of asyncio: a pool of connections, and no library."""

from asyncio import Semaphore, StreamReader, StreamWriter, open_connection
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.client import HTTPException
from urllib.parse import urlsplit

from bench.api import Answer, AsyncGet, ClientSettings, collect_async, parse_head
from strategies.clients._stream_bodies import has_unasked, read_body

DEVIATIONS = {"surplus_bytes": "ok"}  # a body is read to its length, and what follows is not looked at
CONNECTION_LIMIT = True


@asynccontextmanager
async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:
    """Yield ``get(url)`` for an event loop, with as many connections as there are workers."""
    places, idle = Semaphore(settings.workers), list[tuple[str, StreamReader, StreamWriter]]()
    tls, limit = settings.tls_context(), settings.largest_bytes + 1
    fields = f"Connection: {'keep-alive' if settings.keep_alive else 'close'}\r\nAccept-Encoding: identity"

    async def get(url: str) -> Answer:
        to, is_reusable = urlsplit(url), False
        async with places:
            while idle and (idle[-1][0] != to.netloc or has_unasked(idle[-1][1])):
                idle.pop()[2].close()
            place = to.hostname, to.port or (443 if tls else 80)
            reader, writer = idle.pop()[1:] if idle else await open_connection(*place, ssl=tls)
            try:
                writer.write(f"GET {to.path} HTTP/1.1\r\nHost: {to.netloc}\r\n{fields}\r\n\r\n".encode())
                status, headers = parse_head(await reader.readuntil(b"\r\n\r\n"))
                body = await collect_async(read_body(reader, status, headers, limit), settings)
                is_reusable = settings.keep_alive and headers.get("Connection") != "close"
                return Answer(status, body, headers)
            except ValueError as error:
                raise HTTPException("a size in the answer is no number") from error
            finally:
                if is_reusable:
                    idle.append((to.netloc, reader, writer))
                else:
                    writer.transport.abort()

    try:
        yield get
    finally:
        for _, _, writer in idle:
            writer.transport.abort()
