"""Read the bodies of HTTP/1.1 from the streams of asyncio, however their length is told (RFC 9112, 6.3)."""

from asyncio import StreamReader
from collections.abc import AsyncIterator

from bench.api import Headers

_PIECE = 65_536
"""Bytes that are read at once."""


async def read_body(reader: StreamReader, status: int, headers: Headers, limit: int) -> AsyncIterator[bytes]:
    """Yield the pieces of a body: chunks, a given length, or all up to the end of the connection.

    No chunk and no length is read beyond ``limit`` bytes.
    """
    length = headers.get("Content-Length") or ""
    if headers.get("Transfer-Encoding"):
        while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            async for piece in _read_exactly(reader, min(size, limit)):
                yield piece
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
    elif length.isdecimal():
        async for piece in _read_exactly(reader, min(int(length), limit)):
            yield piece
    elif status not in {204, 304}:
        while piece := await reader.read(_PIECE):
            yield piece


async def _read_exactly(reader: StreamReader, size: int) -> AsyncIterator[bytes]:
    """Yield the pieces of so many bytes; a number below zero is a ``ValueError`` of the reader."""
    while size:
        piece = await reader.readexactly(min(size, _PIECE))
        size -= len(piece)
        yield piece


def has_unasked(reader: StreamReader) -> bool:
    """Tell whether the server has closed an idle connection, or sent more than it was asked for."""
    return bool(reader.at_eof() or reader.exception() or vars(reader)["_buffer"])
