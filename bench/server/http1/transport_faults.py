"""Build the responses of the transport faults over HTTP/1.1: the bytes that are sent, and the close."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from math import inf
from types import MappingProxyType
from typing import Final, NamedTuple, SupportsIndex, TypeAlias

from bench.server.connection_close import CloseMode
from bench.server.fault_responses import HUGE_HEADER, MOST_SLICES, SURPLUS, FaultPacing
from bench.server.request_log import UNANSWERED
from bench.server.responses import Header, Response, Slice, Slices, write_head

_NEVER: Final = Slice(b"", inf)
_NOTHING: Final = (Slice(b"", 0.0),)
_SLOW_HEADER: Final = b"X-Slow: " + b"." * 8_000
"""Lasts four minutes in a single line: some clients refuse longer lines, others more than 100 of them."""
_GARBAGE: Final = b"This is no status line\r\n"
_BLOCK: Final = bytes(256 * 1024)
_BLOCK_S: Final = 0.001
"""Gives other connections their turn, even if the client takes everything at once."""


class FaultyResponse(NamedTuple):
    """The part of a response that is sent, and the close of its connection.

    Attributes:
        status: ``UNANSWERED`` if the response is incomplete, or its status unreadable.
    """

    slices: Slices
    close_mode: CloseMode
    status: int


class _Request(NamedTuple):
    """A request that meets a fault.

    Attributes:
        response: the response without the fault.
        body: the requested part of its body: nothing for HEAD.
        close_mode: the state of the connection after a response without the fault.
    """

    response: Response
    body: bytes
    close_mode: CloseMode
    pacing: FaultPacing

    @property
    def half(self) -> bytes:
        """A head that promises the whole body, and half of the body."""
        return self.response.closing_head + self.body[: len(self.body) // 2]

    def head_with(self, *headers: Header) -> bytes:
        """Write the head with these headers in place of its Content-Length."""
        others = (each for each in self.response.headers if each[0] != "Content-Length")
        return write_head(self.response.status, (*others, *headers), "close")


def faulty_response(
    kind: str, response: Response, body: bytes, close_mode: CloseMode, pacing: FaultPacing
) -> FaultyResponse | None:
    """Build a faulty response, or return None if this kind of fault does not apply.

    Some kinds are not about the transport, and some need a body.
    """
    build = _OF_ANY.get(kind) or (_OF_BODIES.get(kind) if body else None)
    return None if build is None else build(_Request(response, body, close_mode, pacing))


class _ByteByByte:
    """Slices of one byte each after a first one, and no end; each is cut on demand."""

    def __init__(self, first: bytes, rest: bytes, byte_s: float) -> None:
        self._first = first
        self._rest = rest
        self._byte_s = byte_s

    def __len__(self) -> int:
        return len(self._rest) + 2

    def __getitem__(self, index: SupportsIndex, /) -> Slice:
        at = index.__index__()
        if at > len(self._rest):
            return _NEVER
        return Slice(self._rest[at - 1 : at] if at else self._first, at * self._byte_s)


class _Flood:
    """A head and the same block over and over, which takes no memory however long it is."""

    def __init__(self, head: bytes, size: int) -> None:
        self._head = head
        self._size = size

    def __len__(self) -> int:
        return 1 + self._size // len(_BLOCK)

    def __getitem__(self, index: SupportsIndex, /) -> Slice:
        at = index.__index__()
        return Slice(_BLOCK if at else self._head, at * _BLOCK_S)


def _slicer(request: _Request) -> FaultyResponse:
    whole = request.response.head(request.close_mode) + request.body
    size = -(-len(whole) // MOST_SLICES)
    slices = tuple(
        Slice(whole[start : start + size], number * request.pacing.slice_s)
        for number, start in enumerate(range(0, len(whole), size))
    )
    return FaultyResponse(slices, request.close_mode, request.response.status)


def _slow_close(request: _Request) -> FaultyResponse:
    data = request.response.closing_head + request.body
    return FaultyResponse(_at_once(data), "closed_late", request.response.status)


def _reset_before_headers(_request: _Request) -> FaultyResponse:
    return FaultyResponse(_NOTHING, "reset", UNANSWERED)


def _reset_mid_body(request: _Request) -> FaultyResponse:
    return FaultyResponse(_at_once(request.half), "reset", UNANSWERED)


def _close_before_headers(_request: _Request) -> FaultyResponse:
    return FaultyResponse(_NOTHING, "cut", UNANSWERED)


def _short_body(request: _Request) -> FaultyResponse:
    return FaultyResponse(_at_once(request.half), "cut", UNANSWERED)


def _cut_chunk(request: _Request) -> FaultyResponse:
    body = request.body
    head = request.head_with(("Transfer-Encoding", "chunked"))
    return FaultyResponse(_at_once(head + b"%x\r\n" % len(body) + body[: len(body) // 2]), "cut", UNANSWERED)


def _stall(request: _Request) -> FaultyResponse:
    return FaultyResponse((Slice(request.half, 0.0), _NEVER), "closed", UNANSWERED)


def _drip(request: _Request) -> FaultyResponse:
    slices = _ByteByByte(request.response.closing_head, request.body[:-1], request.pacing.byte_s)
    return FaultyResponse(slices, "closed", UNANSWERED)


def _slow_headers(request: _Request) -> FaultyResponse:
    slices = _ByteByByte(b"", request.response.closing_head[:-2] + _SLOW_HEADER, request.pacing.byte_s)
    return FaultyResponse(slices, "closed", UNANSWERED)


def _garbage_status_line(request: _Request) -> FaultyResponse:
    _, _, headers = request.response.closing_head.partition(b"\r\n")
    return FaultyResponse(_at_once(_GARBAGE + headers + request.body), "cut", UNANSWERED)


def _bad_length(request: _Request) -> FaultyResponse:
    return _with_headers(request, ("Content-Length", "-1"))


def _duplicate_length(request: _Request) -> FaultyResponse:
    size = len(request.response.body)
    return _with_headers(request, ("Content-Length", str(size)), ("Content-Length", str(size + 1)))


def _huge_header(request: _Request) -> FaultyResponse:
    return _with_headers(request, HUGE_HEADER, ("Content-Length", str(len(request.response.body))))


def _surplus_bytes(request: _Request) -> FaultyResponse:
    data = request.response.closing_head + request.body + SURPLUS + b"\r\n"
    return FaultyResponse(_at_once(data), "cut", request.response.status)


def _oversized(request: _Request) -> FaultyResponse:
    size = request.pacing.oversized_bytes
    return FaultyResponse(
        _Flood(request.head_with(("Content-Length", str(size))), size), "cut", HTTPStatus.OK
    )


def _with_headers(request: _Request, *headers: Header) -> FaultyResponse:
    data = request.head_with(*headers) + request.body
    return FaultyResponse(_at_once(data), "cut", request.response.status)


def _at_once(data: bytes) -> tuple[Slice, ...]:
    return (Slice(data, 0.0),)


_Build: TypeAlias = Callable[[_Request], FaultyResponse]

_OF_ANY: Final[Mapping[str, _Build]] = MappingProxyType(
    {
        "slicer": _slicer,
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
"""Faults of responses with or without a body."""
_OF_BODIES: Final[Mapping[str, _Build]] = MappingProxyType(
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
"""Faults that need a body."""
