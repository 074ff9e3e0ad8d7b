"""HTTP answers, laid out in full when the server starts: answering is then one write of bytes.

No ``Date``: it is the only header that would change, and no client under test looks at it.
"""

from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Final, NamedTuple

GIF: Final = "image/gif"
JSON: Final = "application/json"
HTML: Final = "text/html; charset=utf-8"
_TEXT: Final = "text/plain; charset=utf-8"


class Slice(NamedTuple):
    """A piece of an answer, and how many seconds after the answer's start it may be sent."""

    data: bytes
    after_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, with two heads: for a connection that stays open, and for one that does not.

    Both name the connection's fate, so that HTTP/1.0 needs no head of its own.

    Attributes:
        kept: the whole answer in one slice, for a connection that is kept.
        closing: the same for one that is closed.
    """

    status: int
    kept_head: bytes
    closing_head: bytes
    body: bytes
    kept: tuple[Slice, ...]
    closing: tuple[Slice, ...]

    def head(self, *, closing: bool) -> bytes:
        """Return the status line and headers."""
        return self.closing_head if closing else self.kept_head


def lay_out(status: int, kind: str, body: bytes, *headers: str) -> Answer:
    """Lay out an answer; ``kind`` is its media type, ``headers`` are lines of their own."""
    lines = [
        f"HTTP/1.1 {status} {_reason(status)}",
        "Server: flagbench",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    start = "\r\n".join(lines).encode()
    kept = start + b"\r\nConnection: keep-alive\r\n\r\n"
    closing = start + b"\r\nConnection: close\r\n\r\n"
    return Answer(status, kept, closing, body, (Slice(kept + body, 0.0),), (Slice(closing + body, 0.0),))


@cache
def refusal(status: int) -> Answer:
    """Lay out an answer that says no more than its status."""
    headers = ("Allow: GET, HEAD",) if status == HTTPStatus.METHOD_NOT_ALLOWED else ()
    return lay_out(status, _TEXT, f"{status} {_reason(status)}\n".encode(), *headers)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
