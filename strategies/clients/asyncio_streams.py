"""HTTP/1.1 by hand over the streams of asyncio: a pool of connections, and no library."""

from asyncio import Semaphore, StreamReader, StreamWriter, open_connection
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.client import HTTPException
from urllib.parse import urlsplit

from bench.api import Answer, AsyncGet, ClientSettings, Headers, collect_async, parse_head

DEVIATIONS = {"surplus_bytes": "ok"}  # a body is read to its length, and what follows is not looked at
CONNECTION_LIMIT = True
PIECE = 65_536
"""Bytes of a body that are read at once."""


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


def has_unasked(reader: StreamReader) -> bool:
    """Tell whether the server has closed an idle connection, or sent more than it was asked for."""
    return bool(reader.at_eof() or reader.exception() or vars(reader)["_buffer"])


async def read_body(reader: StreamReader, status: int, headers: Headers, limit: int) -> AsyncIterator[bytes]:
    """Yield the pieces of a body: chunks, a given length, or all up to the end of the connection."""
    length = headers.get("Content-Length") or ""
    if headers.get("Transfer-Encoding"):
        while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            left = min(size, limit)
            while left:
                yield (piece := await reader.readexactly(min(left, PIECE)))
                left -= len(piece)
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
    elif length.isdecimal():
        left = min(int(length), limit)
        while left:
            yield (piece := await reader.readexactly(min(left, PIECE)))
            left -= len(piece)
    elif status not in {204, 304}:
        while piece := await reader.read(PIECE):
            yield piece
