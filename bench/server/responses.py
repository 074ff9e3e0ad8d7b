"""Build HTTP responses in full when the server starts, so that answering is one write of bytes.

They have no ``Date``: it is the only header that would change, and no client under test reads it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Final, NamedTuple, TypeAlias

from bench.model.planned_delays import LARGEST_SLICE, slice_bytes
from bench.server.connection_close import CloseMode

GIF: Final = "image/gif"
JSON: Final = "application/json"
HTML: Final = "text/html; charset=utf-8"
_TEXT: Final = "text/plain; charset=utf-8"
_SERVER: Final = ("Server", "flagbench")

Header: TypeAlias = tuple[str, str]
"""A name and a value."""


Bytes: TypeAlias = bytes | memoryview
"""Bytes to send: a view where they are a part of a longer body, so that cutting copies nothing."""


class Slice(NamedTuple):
    """A later piece of a response, and how many seconds after the response's start it may be sent."""

    data: Bytes
    after_s: float


NO_MORE_SLICES: Final[Iterator[Slice]] = iter(())
"""Follows a response that is sent in one piece."""


@dataclass(frozen=True, slots=True, eq=False)  # hashing a body of megabytes would take milliseconds
class Response:
    """A response with two heads of HTTP/1.1.

    One is for a connection that stays open, the other for one that is closed. Both heads say so, so that
    HTTP/1.0 needs no head of its own.

    Attributes:
        headers: the headers of any protocol, in order.
        is_large: whether the body takes more than one slice.
        kept: the whole response for a connection that stays open; of a large one only the head.
        closing: the same for a connection that is closed.
    """

    status: int
    headers: tuple[Header, ...]
    body: Bytes
    is_large: bool
    kept: bytes
    closing: bytes

    def head(self, close_mode: CloseMode) -> bytes:
        """Return the status line and headers."""
        whole = self.kept if close_mode == "kept" else self.closing
        return whole if self.is_large else whole[: len(whole) - len(self.body)]

    def header(self, name: str) -> str:
        """Return the value of a header, spelt as it is sent; empty if it is missing."""
        return next((value for each, value in self.headers if each == name), "")


def build_response(status: int, media_type: str, body: Bytes, *headers: Header) -> Response:
    """Build a response with a body."""
    length = ("Content-Length", str(len(body)))
    return _build(status, (_SERVER, ("Content-Type", media_type), length, *headers), body)


@cache
def status_response(status: int, *headers: Header) -> Response:
    """Build a response whose body repeats its status."""
    allowed = (("Allow", "GET, HEAD"),) if status == HTTPStatus.METHOD_NOT_ALLOWED else ()
    return build_response(status, _TEXT, f"{status} {_reason(status)}\n".encode(), *allowed, *headers)


@cache
def no_content() -> Response:
    """Build a 204, without a body and without headers about one (RFC 9110, 8.6)."""
    return _build(HTTPStatus.NO_CONTENT, (_SERVER,), b"")


def write_head(status: int, headers: Iterable[Header], connection: str) -> bytes:
    """Write the status line and headers of HTTP/1.1; ``connection`` is the last header's value."""
    lines = (f"{name}: {value}\r\n" for name, value in (*headers, ("Connection", connection)))
    return f"HTTP/1.1 {status} {_reason(status)}\r\n{''.join(lines)}\r\n".encode()


def _build(status: int, headers: tuple[Header, ...], body: Bytes) -> Response:
    kept, closing = (write_head(status, headers, connection) for connection in ("keep-alive", "close"))
    if len(body) > LARGEST_SLICE:
        return Response(int(status), headers, body, True, kept, closing)  # noqa: FBT003  a field
    return Response(int(status), headers, body, False, kept + body, closing + body)  # noqa: FBT003


def cut_body(body: Bytes, bandwidth: float | None) -> Iterator[Slice]:
    """Cut a body into slices that keep to a bandwidth.

    Each is due as soon as the bandwidth, in bytes per second, allows it.
    """
    view, step = memoryview(body), slice_bytes(bandwidth)
    for start in range(0, max(1, len(body)), step):
        end = min(start + step, len(body))
        yield Slice(view[start:end], 0.0 if bandwidth is None else end / bandwidth)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
