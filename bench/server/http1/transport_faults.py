"""Build the responses of the transport faults over HTTP/1.1: the bytes that are sent, and the close."""

from collections.abc import Iterator
from http import HTTPStatus
from itertools import chain
from math import inf
from typing import Final, NamedTuple

from bench.model.planned_delays import LARGEST_SLICE
from bench.server.connection_close import CloseMode
from bench.server.fault_responses import HUGE_HEADER, MOST_SLICES, SURPLUS, FaultPacing
from bench.server.request_log import UNANSWERED
from bench.server.responses import NO_MORE_SLICES, Bytes, Header, Response, Slice, cut_body, write_head

_SLOW_HEADER: Final = b"X-Slow: " + b"." * 8_000
"""Lasts four minutes in a single line: some clients refuse longer lines, others more than 100 of them."""
_GARBAGE: Final = b"This is no status line\r\n"
_BLOCK: Final = bytes(256 * 1024)
_BLOCK_S: Final = 0.001
"""Gives other connections their turn, even if the client takes everything at once."""


class FaultyResponse(NamedTuple):
    """The part of a response that is sent, and the close of its connection.

    Attributes:
        data: sent first; ``rest`` follows in slices.
        status: ``UNANSWERED`` if the response is incomplete, or its status unreadable.
    """

    data: Bytes
    close_mode: CloseMode
    status: int
    rest: Iterator[Slice] = NO_MORE_SLICES


def faulty_response(
    kind: str, response: Response, body: Bytes, close_mode: CloseMode, pacing: FaultPacing
) -> FaultyResponse | None:
    """Build a faulty response, or return None if this kind of fault does not apply.

    Args:
        kind: the kind of the fault, which may not be about the transport at all.
        response: the response without the fault.
        body: the requested part of its body: nothing for HEAD.
        close_mode: the state of the connection after it without the fault.
        pacing: the times of slow faults.
    """
    if kind == "slicer":
        slices = _slice(response.head(close_mode), body, pacing.slice_s)
        return FaultyResponse(next(slices).data, close_mode, response.status, slices)
    return _fault_of_any(kind, response, body, pacing) or (
        _fault_of_body(kind, response, body, pacing) if body else None
    )


def _fault_of_any(  # noqa: PLR0911  one case for each kind
    kind: str, response: Response, body: Bytes, pacing: FaultPacing
) -> FaultyResponse | None:
    """Build a fault of responses with or without a body."""
    head, status, size = response.head("closed"), response.status, len(response.body)
    match kind:
        case "slow_close":
            return send_faulty(head, body, "closed_late", status)
        case "reset_before_headers":
            return FaultyResponse(b"", "reset", UNANSWERED)
        case "close_before_headers":
            return FaultyResponse(b"", "cut", UNANSWERED)
        case "slow_headers":
            return FaultyResponse(b"", "closed", UNANSWERED, _drip(head[:-2] + _SLOW_HEADER, pacing.byte_s))
        case "garbage_status_line":
            return send_faulty(_GARBAGE + head.partition(b"\r\n")[2], body, "cut", UNANSWERED)
        case "bad_length":
            headers: tuple[Header, ...] = (("Content-Length", "-1"),)
        case "duplicate_length":
            headers = (("Content-Length", str(size)), ("Content-Length", str(size + 1)))
        case "huge_header":
            headers = (HUGE_HEADER, ("Content-Length", str(size)))
        case _:
            return None
    return send_faulty(_head_with(response, *headers), body, "cut", status)


def _fault_of_body(  # noqa: PLR0911  one case for each kind
    kind: str, response: Response, body: Bytes, pacing: FaultPacing
) -> FaultyResponse | None:
    """Build a fault that needs a body."""
    head, half = response.head("closed"), memoryview(body)[: len(body) // 2]
    match kind:
        case "reset_mid_body":
            return send_faulty(head, half, "reset", UNANSWERED)
        case "short_body":
            return send_faulty(head, half, "cut", UNANSWERED)
        case "cut_chunk":
            chunked = _head_with(response, ("Transfer-Encoding", "chunked"))
            return send_faulty(chunked + b"%x\r\n" % len(body), half, "cut", UNANSWERED)
        case "stall":
            begun = send_faulty(head, half, "closed", UNANSWERED)
            return begun._replace(rest=chain(begun.rest, (Slice(b"", inf),)))
        case "drip":
            return FaultyResponse(head, "closed", UNANSWERED, _drip(memoryview(body)[:-1], pacing.byte_s))
        case "surplus_bytes":
            whole = send_faulty(head, body, "cut", response.status)
            surplus = Slice(SURPLUS + b"\r\n", 0.0)
            if whole.rest is NO_MORE_SLICES:
                return whole._replace(data=bytes(whole.data) + surplus.data)
            return whole._replace(rest=chain(whole.rest, (surplus,)))
        case "oversized":
            length = ("Content-Length", str(pacing.oversized_bytes))
            blocks = _repeat_block(pacing.oversized_bytes)
            return FaultyResponse(_head_with(response, length), "cut", HTTPStatus.OK, blocks)
    return None


def send_faulty(head: bytes, body: Bytes, close_mode: CloseMode, status: int) -> FaultyResponse:
    """Send a head and a body: at once, or in slices if the body is a large one."""
    if len(body) > LARGEST_SLICE:
        return FaultyResponse(head, close_mode, status, cut_body(body, None))
    return FaultyResponse(head + body, close_mode, status)


def _head_with(response: Response, *headers: Header) -> bytes:
    """Write the head of a response with these headers in place of its Content-Length."""
    others = (each for each in response.headers if each[0] != "Content-Length")
    return write_head(response.status, (*others, *headers), "close")


def _slice(head: bytes, body: Bytes, slice_s: float) -> Iterator[Slice]:
    """Cut head and body together into pieces.

    Of a large body only the first piece is copied.
    """
    size = -(-(len(head) + len(body)) // MOST_SLICES)
    joined = len(body) if len(body) <= LARGEST_SLICE else size - len(head)
    first, rest = head + body[:joined], memoryview(body)[joined:]
    pieces = chain(_pieces(memoryview(first), size), _pieces(rest, size))
    return (Slice(piece, number * slice_s) for number, piece in enumerate(pieces))


def _pieces(data: memoryview, size: int) -> Iterator[memoryview]:
    return (data[start : start + size] for start in range(0, len(data), size))


def _drip(data: Bytes, byte_s: float) -> Iterator[Slice]:
    """Send a byte at a time, and never end."""
    for at in range(len(data)):
        yield Slice(data[at : at + 1], (at + 1) * byte_s)
    yield Slice(b"", inf)


def _repeat_block(size: int) -> Iterator[Slice]:
    """Send the same block over and over, without memory for all of them."""
    for number in range(1, size // len(_BLOCK) + 1):
        yield Slice(_BLOCK, number * _BLOCK_S)
