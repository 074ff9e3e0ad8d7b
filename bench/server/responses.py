"""HTTP answers, laid out in full when the server starts: answering is then one write of bytes.

No ``Date``: it is the only header that would change, and no client under test looks at it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Final, NamedTuple, Protocol, SupportsIndex, TypeAlias

GIF: Final = "image/gif"
JSON: Final = "application/json"
HTML: Final = "text/html; charset=utf-8"
_TEXT: Final = "text/plain; charset=utf-8"
_SERVER: Final = ("Server", "flagbench")

Header: TypeAlias = tuple[str, str]
"""A name and a value."""


class Slice(NamedTuple):
    """A piece of an answer, and how many seconds after the answer's start it may be sent."""

    data: bytes
    after_s: float


class Slices(Protocol):
    """All pieces of an answer: a tuple, or what cuts each of them when it is asked for."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: SupportsIndex, /) -> Slice: ...


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, with two heads of HTTP/1.1: for a connection that stays open, and for one that does not.

    Both name the connection's fate, so that HTTP/1.0 needs no head of its own.

    Attributes:
        headers: those that any protocol would send, in their order.
        kept: the whole answer in one slice, for a connection that is kept.
        closing: the same for one that is closed.
    """

    status: int
    headers: tuple[Header, ...]
    body: bytes
    kept_head: bytes
    closing_head: bytes
    kept: tuple[Slice, ...]
    closing: tuple[Slice, ...]

    def head(self, *, closing: bool) -> bytes:
        """Return the status line and headers."""
        return self.closing_head if closing else self.kept_head

    def header(self, name: str) -> str:
        """Return the value of a header, spelt as it is sent; empty if there is none."""
        return next((value for each, value in self.headers if each == name), "")


def build_responses(status: int, kind: str, body: bytes, *headers: Header) -> Response:
    """Lay out an answer; ``kind`` is its media type."""
    described = (_SERVER, ("Content-Type", kind), ("Content-Length", str(len(body))), *headers)
    return _laid_out(status, described, body)


@cache
def refusal(status: int, *headers: Header) -> Response:
    """Lay out an answer that says no more than its status."""
    allowed = (("Allow", "GET, HEAD"),) if status == HTTPStatus.METHOD_NOT_ALLOWED else ()
    return build_responses(status, _TEXT, f"{status} {_reason(status)}\n".encode(), *allowed, *headers)


@cache
def no_content() -> Response:
    """Lay out a 204, which has no body and says nothing of one (RFC 9110, 8.6)."""
    return _laid_out(HTTPStatus.NO_CONTENT, (_SERVER,), b"")


def written_head(status: int, headers: Iterable[Header], connection: str) -> bytes:
    """Write the status line and headers of HTTP/1.1; ``connection`` is the connection's fate."""
    lines = (f"{name}: {value}\r\n" for name, value in (*headers, ("Connection", connection)))
    return f"HTTP/1.1 {status} {_reason(status)}\r\n{''.join(lines)}\r\n".encode()


def _laid_out(status: int, headers: tuple[Header, ...], body: bytes) -> Response:
    kept = written_head(status, headers, "keep-alive")
    closing = written_head(status, headers, "close")
    return Response(
        int(status), headers, body, kept, closing, (Slice(kept + body, 0.0),), (Slice(closing + body, 0.0),)
    )


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
