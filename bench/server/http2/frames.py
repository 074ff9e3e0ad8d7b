"""Describe a response as HTTP/2 frames with the time of each, and encode its headers."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from hpack import Encoder
from hpack.hpack import encode_integer

from bench.model.planned_delays import slice_bytes
from bench.server.responses import Bytes, Response

Field: TypeAlias = tuple[bytes, bytes]

_LARGE_FIELD: Final = 4096
_LENGTH_BITS: Final = 7
_NEVER_INDEXED: Final = b"\x10"


class Http2Response(NamedTuple):
    """A response as HTTP/2 has it: without reason phrase, and without a Connection header."""

    status: int
    fields: tuple[Field, ...]
    body: Bytes


class Headers(NamedTuple):
    """HEADERS, and CONTINUATION where they need it."""

    fields: tuple[Field, ...]
    is_end: bool


class Data(NamedTuple):
    """DATA, in as many frames as the windows of stream and connection require."""

    data: Bytes
    is_end: bool


class Reset(NamedTuple):
    """RST_STREAM."""


class GoAway(NamedTuple):
    """GOAWAY, and the end of the connection."""


Part: TypeAlias = Headers | Data | Reset | GoAway


class Step(NamedTuple):
    """A part of a response, and how many seconds after the response's start it may be sent."""

    part: Part
    after_s: float


Steps: TypeAlias = Iterator[Step]
"""The steps of a response; if none of them ends the stream, the client waits."""


@lru_cache(maxsize=1024)
def http2_response(response: Response) -> Http2Response:
    """Convert a response; the names of its fields are in lower case (RFC 9113, 8.2)."""
    fields = tuple((name.lower().encode(), value.encode()) for name, value in response.headers)
    return Http2Response(response.status, fields, response.body)


def with_lengths(fields: tuple[Field, ...], *lengths: bytes) -> tuple[Field, ...]:
    """Replace the Content-Length of some fields by these."""
    others = tuple(field for field in fields if field[0] != b"content-length")
    return (*others, *((b"content-length", length) for length in lengths))


def headers_of(response: Http2Response, *, is_end: bool) -> Headers:
    """Return the headers of a response."""
    return Headers(((b":status", b"%d" % response.status), *response.fields), is_end)


def send_whole(response: Http2Response, bandwidth: float | None) -> Steps:
    """Send a response as it is, at this many bytes per second."""
    return send_part(response, len(response.body), bandwidth)


def send_part(response: Http2Response, size: int, bandwidth: float | None) -> Steps:
    """Send headers and the first bytes of the body, and end the stream."""
    yield Step(headers_of(response, is_end=not size), 0.0)
    for end, data in split_body(response.body, size, bandwidth):
        yield Step(Data(data, end == size), end / bandwidth if bandwidth else 0.0)


def split_body(body: Bytes, size: int, bandwidth: float | None) -> Iterator[tuple[int, Bytes]]:
    """Split the first bytes of a body; yield the end of each piece, and the piece."""
    step = slice_bytes(bandwidth)
    for start in range(0, size, step):
        end = min(start + step, size)
        yield end, body[start:end]


class LargeFieldEncoder(Encoder):
    """Encodes large fields without Huffman's code, and without touching the tables (RFC 7541, 6.2.3).

    hpack takes time that grows with the square of a field's length: seconds for 256 KiB, in which no request
    is answered.
    """

    def encode(self, headers: Iterable[Any], huffman: bool = True) -> bytes:  # noqa: FBT001, FBT002  hpack's
        """Return a header block; the large fields come last."""
        fields = list(headers)
        small = [field for field in fields if len(field[1]) < _LARGE_FIELD]
        large = [field for field in fields if len(field[1]) >= _LARGE_FIELD]
        return super().encode(small, huffman) + b"".join(
            _NEVER_INDEXED + _encode_string(name) + _encode_string(value) for name, value in large
        )


def _encode_string(text: bytes | str) -> bytes:
    """Encode a string literal without Huffman's code (RFC 7541, 5.2)."""
    data = text.encode() if isinstance(text, str) else text
    return bytes(encode_integer(len(data), _LENGTH_BITS)) + data
