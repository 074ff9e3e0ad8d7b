"""The faults that spoil an answer on its way over HTTP/1.1: what is sent of it, and how it ends."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from math import inf
from types import MappingProxyType
from typing import Final, NamedTuple, SupportsIndex, TypeAlias

from bench.server.http1.connection_close import Ending
from bench.server.request_log import UNANSWERED
from bench.server.responses import Header, Response, Slice, Slices, written_head

_MOST_PIECES: Final = 20
_PIECE_S: Final = 0.001
_BYTE_S: Final = 0.03
_NEVER: Final = Slice(b"", inf)
_NOTHING: Final = (Slice(b"", 0.0),)
_SLOW_HEADER: Final = b"X-Slow: " + b"." * 8_000
"""Goes on for four minutes in a single line: some clients refuse longer ones, others more than 100."""
_HUGE_HEADER: Final = ("X-Huge", "." * (256 * 1024))
_GARBAGE: Final = b"This is no status line\r\n"
_SURPLUS: Final = b"and this is more than was promised\r\n"
_OVERSIZE_BYTES: Final = 1024**3
_BLOCK: Final = bytes(256 * 1024)
_BLOCK_S: Final = 0.001
"""Other connections have their turns in between, even if the client takes everything at once."""


class FaultyResponse(NamedTuple):
    """What is sent of an answer.

    Attributes:
        status: ``UNANSWERED`` if that is no whole answer, or has no status that a client could read.
    """

    slices: Slices
    ending: Ending
    status: int


def faulty_response(kind: str, answer: Response, body: bytes, *, is_last: bool) -> FaultyResponse | None:
    """Spoil an answer; ``None`` if this kind of fault does not, or finds nothing to spoil.

    Args:
        kind: the kind of the fault.
        answer: what would be sent.
        body: as much of its body as was asked for, which is nothing of it for HEAD.
        is_last: whether the connection would end with this answer in any case.
    """
    if kind == "slicer":
        return _slicer(answer, body, is_last=is_last)
    if kind in _OF_HEADS:
        return _OF_HEADS[kind](answer, body)
    return _OF_BODIES[kind](answer, body) if body and kind in _OF_BODIES else None


class _ByteByByte:
    """Something that comes at once, then a byte at a time, and never an end: cut as it is needed."""

    def __init__(self, first: bytes, rest: bytes) -> None:
        self._first = first
        self._rest = rest

    def __len__(self) -> int:
        return len(self._rest) + 2

    def __getitem__(self, index: SupportsIndex, /) -> Slice:
        at = index.__index__()
        if at > len(self._rest):
            return _NEVER
        return Slice(self._rest[at - 1 : at] if at else self._first, at * _BYTE_S)


class _Flood:
    """A head and the same block over and over: as long as it is, it takes no memory."""

    def __init__(self, head: bytes) -> None:
        self._head = head

    def __len__(self) -> int:
        return 1 + _OVERSIZE_BYTES // len(_BLOCK)

    def __getitem__(self, index: SupportsIndex, /) -> Slice:
        at = index.__index__()
        return Slice(_BLOCK if at else self._head, at * _BLOCK_S)


def _slicer(answer: Response, body: bytes, *, is_last: bool) -> FaultyResponse:
    whole = answer.head(closing=is_last) + body
    size = -(-len(whole) // _MOST_PIECES)
    starts = range(0, len(whole), size)
    slices = tuple(
        Slice(whole[start : start + size], number * _PIECE_S) for number, start in enumerate(starts)
    )
    return FaultyResponse(slices, "closed" if is_last else "kept", answer.status)


def _slow_close(answer: Response, body: bytes) -> FaultyResponse:
    return FaultyResponse(_at_once(answer.closing_head + body), "closed_late", answer.status)


def _reset_before_headers(_answer: Response, _body: bytes) -> FaultyResponse:
    return FaultyResponse(_NOTHING, "reset", UNANSWERED)


def _reset_mid_body(answer: Response, body: bytes) -> FaultyResponse:
    return FaultyResponse(_at_once(_half(answer, body)), "reset", UNANSWERED)


def _close_before_headers(_answer: Response, _body: bytes) -> FaultyResponse:
    return FaultyResponse(_NOTHING, "cut", UNANSWERED)


def _short_body(answer: Response, body: bytes) -> FaultyResponse:
    return FaultyResponse(_at_once(_half(answer, body)), "cut", UNANSWERED)


def _cut_chunk(answer: Response, body: bytes) -> FaultyResponse:
    head = _head(answer, ("Transfer-Encoding", "chunked"))
    return FaultyResponse(_at_once(head + b"%x\r\n" % len(body) + body[: len(body) // 2]), "cut", UNANSWERED)


def _stall(answer: Response, body: bytes) -> FaultyResponse:
    return FaultyResponse((Slice(_half(answer, body), 0.0), _NEVER), "closed", UNANSWERED)


def _drip(answer: Response, body: bytes) -> FaultyResponse:
    return FaultyResponse(_ByteByByte(answer.closing_head, body[:-1]), "closed", UNANSWERED)


def _slow_headers(answer: Response, _body: bytes) -> FaultyResponse:
    return FaultyResponse(_ByteByByte(b"", answer.closing_head[:-2] + _SLOW_HEADER), "closed", UNANSWERED)


def _garbage_status_line(answer: Response, body: bytes) -> FaultyResponse:
    _, _, headers = answer.closing_head.partition(b"\r\n")
    return FaultyResponse(_at_once(_GARBAGE + headers + body), "cut", UNANSWERED)


def _bad_length(answer: Response, body: bytes) -> FaultyResponse:
    return _with_headers(answer, body, ("Content-Length", "-1"))


def _duplicate_length(answer: Response, body: bytes) -> FaultyResponse:
    size = len(answer.body)
    return _with_headers(answer, body, ("Content-Length", str(size)), ("Content-Length", str(size + 1)))


def _huge_header(answer: Response, body: bytes) -> FaultyResponse:
    return _with_headers(answer, body, _HUGE_HEADER, ("Content-Length", str(len(answer.body))))


def _surplus_bytes(answer: Response, body: bytes) -> FaultyResponse:
    return FaultyResponse(_at_once(answer.closing_head + body + _SURPLUS), "cut", answer.status)


def _oversized(answer: Response, _body: bytes) -> FaultyResponse:
    return FaultyResponse(
        _Flood(_head(answer, ("Content-Length", str(_OVERSIZE_BYTES)))), "cut", HTTPStatus.OK
    )


def _with_headers(answer: Response, body: bytes, *headers: Header) -> FaultyResponse:
    return FaultyResponse(_at_once(_head(answer, *headers) + body), "cut", answer.status)


def _head(answer: Response, *headers: Header) -> bytes:
    """Write the head of an answer with these headers instead of its Content-Length."""
    others = (each for each in answer.headers if each[0] != "Content-Length")
    return written_head(answer.status, (*others, *headers), "close")


def _half(answer: Response, body: bytes) -> bytes:
    """Return a head that promises all of a body, and half of the body."""
    return answer.closing_head + body[: len(body) // 2]


def _at_once(data: bytes) -> tuple[Slice, ...]:
    return (Slice(data, 0.0),)


_Spoil: TypeAlias = Callable[[Response, bytes], FaultyResponse]

_OF_HEADS: Final[Mapping[str, _Spoil]] = MappingProxyType(
    {
        "slow_close": _slow_close,
        "reset_before_headers": _reset_before_headers,
        "close_before_headers": _close_before_headers,
        "slow_headers": _slow_headers,
        "garbage_status_line": _garbage_status_line,
        "bad_length": _bad_length,
        "duplicate_length": _duplicate_length,
        "huge_header": _huge_header,
    }
)
_OF_BODIES: Final[Mapping[str, _Spoil]] = MappingProxyType(
    {
        "reset_mid_body": _reset_mid_body,
        "short_body": _short_body,
        "cut_chunk": _cut_chunk,
        "stall": _stall,
        "drip": _drip,
        "surplus_bytes": _surplus_bytes,
        "oversized": _oversized,
    }
)
