"""What is sent on a stream, frame by frame, and how long after the answer's start each may go."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from bench.model.planned_delays import slice_bytes
from bench.server.responses import Response

Field: TypeAlias = tuple[bytes, bytes]

_PIECE: Final = 64 * 1024
"""Bytes of a body that are taken at once where nothing paces it."""


class Reply(NamedTuple):
    """An answer as HTTP/2 has it: no reason phrase, no connection to keep or to close."""

    status: int
    fields: tuple[Field, ...]
    body: bytes


class Headers(NamedTuple):
    """HEADERS, and CONTINUATION where they need it."""

    fields: tuple[Field, ...]
    is_end: bool


class Data(NamedTuple):
    """DATA, in as many frames as the windows of stream and connection ask for."""

    data: bytes
    is_end: bool


class Reset(NamedTuple):
    """RST_STREAM."""


class GoAway(NamedTuple):
    """GOAWAY, and the end of the connection."""


Part: TypeAlias = Headers | Data | Reset | GoAway


class Step(NamedTuple):
    """A part of an answer, and how many seconds after the answer's start it may be sent."""

    part: Part
    after_s: float


Script: TypeAlias = Iterator[Step]
"""The steps of an answer; one that ends without an end leaves the client to wait."""


def head_of(reply: Reply, *, is_end: bool) -> Headers:
    """Return the headers of an answer."""
    return Headers(((b":status", b"%d" % reply.status), *reply.fields), is_end)


def whole(reply: Reply, bandwidth: float | None) -> Script:
    """Send an answer as it is, at this many bytes per second."""
    size = len(reply.body)
    yield Step(head_of(reply, is_end=not size), 0.0)
    for end, data in pieces(reply.body, size, bandwidth):
        yield Step(Data(data, end == size), end / bandwidth if bandwidth else 0.0)


def pieces(body: bytes, size: int, bandwidth: float | None) -> Iterator[tuple[int, bytes]]:
    """Cut the first bytes of a body into what goes at once; yield where each piece ends, and the piece."""
    step = slice_bytes(bandwidth) if bandwidth else _PIECE
    for start in range(0, size, step):
        end = min(start + step, size)
        yield end, body[start:end]


@lru_cache(maxsize=1024)
def reply_of(answer: Response) -> Reply:
    """Return an answer with its headers as fields, whose names are in lower case (RFC 9113, 8.2)."""
    fields = tuple((name.lower().encode(), value.encode()) for name, value in answer.headers)
    return Reply(answer.status, fields, answer.body)


def sized(fields: tuple[Field, ...], *lengths: bytes) -> tuple[Field, ...]:
    """Return fields with these lengths instead of the true one."""
    others = tuple(field for field in fields if field[0] != b"content-length")
    return (*others, *((b"content-length", length) for length in lengths))
