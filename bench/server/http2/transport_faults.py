"""Build the steps of the transport faults over HTTP/2, in place of those of the whole response."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from bench.server.fault_responses import HUGE_HEADER, MOST_SLICES, SURPLUS, FaultPacing
from bench.server.http2.frames import (
    Data,
    Field,
    GoAway,
    Http2Response,
    Reset,
    Step,
    Steps,
    headers_of,
    send_part,
    send_whole,
    split_body,
    with_lengths,
)


def faulty_steps(kind: str, response: Http2Response, pacing: FaultPacing) -> Steps | None:
    """Return the steps of a faulty response, or None if this kind of fault does not apply.

    Some kinds are not about the transport, and some need a body. No bandwidth slows a fault down, so that
    the fetch ends in the fault's class and not in a time-out.
    """
    build = OF_ANY.get(kind) or (OF_BODIES.get(kind) if response.body else None)
    return None if build is None else build(response, pacing)


def _duplicate_length(response: Http2Response, _pacing: FaultPacing) -> Steps:
    """Send a wrong length before the right one: a client that reads only one often reads the first."""
    size = len(response.body)
    return _send_with(response, with_lengths(response.fields, b"%d" % (size // 2), b"%d" % size))


def _huge_header(response: Http2Response, _pacing: FaultPacing) -> Steps:
    name, value = HUGE_HEADER
    return _send_with(response, (*response.fields, (name.lower().encode(), value.encode())))


def _send_with(response: Http2Response, fields: tuple[Field, ...]) -> Steps:
    return send_whole(response._replace(fields=fields), None)


def _slicer(response: Http2Response, pacing: FaultPacing) -> Steps:
    body = response.body
    size = -(-len(body) // MOST_SLICES)
    yield Step(headers_of(response, is_end=False), 0.0)
    for number, start in enumerate(range(0, len(body), size), start=1):
        yield Step(Data(body[start : start + size], start + size >= len(body)), number * pacing.slice_s)


def _reset_mid_body(response: Http2Response, pacing: FaultPacing) -> Steps:
    yield from _stall(response, pacing)
    yield Step(Reset(), 0.0)


def _short_body(response: Http2Response, _pacing: FaultPacing) -> Steps:
    """End the stream after half of the body."""
    return send_part(response, len(response.body) // 2, None)


def _stall(response: Http2Response, _pacing: FaultPacing) -> Steps:
    yield Step(headers_of(response, is_end=False), 0.0)
    for _, data in split_body(response.body, len(response.body) // 2, None):
        yield Step(Data(data, is_end=False), 0.0)


def _surplus_bytes(response: Http2Response, _pacing: FaultPacing) -> Steps:
    yield Step(headers_of(response, is_end=False), 0.0)
    for _, data in split_body(response.body, len(response.body), None):
        yield Step(Data(data, is_end=False), 0.0)
    yield Step(Data(SURPLUS, is_end=True), 0.0)


def _drip(response: Http2Response, pacing: FaultPacing) -> Steps:
    """Send all but the last byte, one at a time."""
    yield Step(headers_of(response, is_end=False), 0.0)
    for at in range(len(response.body) - 1):
        yield Step(Data(response.body[at : at + 1], is_end=False), at * pacing.byte_s)


_Build: TypeAlias = Callable[[Http2Response, FaultPacing], Steps]

OF_ANY: Final[Mapping[str, _Build]] = MappingProxyType(
    {
        "reset_before_headers": lambda *_: iter((Step(Reset(), 0.0),)),
        "goaway": lambda *_: iter((Step(GoAway(), 0.0),)),
        # No frame may come between the parts of the headers, so half of them would block every stream.
        "slow_headers": lambda *_: iter(()),
        "bad_length": lambda response, _: _send_with(response, with_lengths(response.fields, b"-1")),
        "duplicate_length": _duplicate_length,
        "huge_header": _huge_header,
    }
)
"""Faults of responses with or without a body."""
OF_BODIES: Final[Mapping[str, _Build]] = MappingProxyType(
    {
        "slicer": _slicer,
        "reset_mid_body": _reset_mid_body,
        "short_body": _short_body,
        "stall": _stall,
        "drip": _drip,
        "surplus_bytes": _surplus_bytes,
    }
)
"""Faults that need a body."""
