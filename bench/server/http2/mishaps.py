"""What the faults of the transport look like over HTTP/2: a script each, instead of the whole answer."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from bench.server.http2.replies import sized
from bench.server.http2.script import (
    Data,
    GoAway,
    Reply,
    Reset,
    Script,
    Step,
    head_of,
    pieces,
    whole,
)

_SLICES: Final = 10
_SLICE_PAUSE_S: Final = 0.002
_DRIP_S: Final = 0.05
_HUGE_HEADER_BYTES: Final = 256 * 1024
_SURPLUS: Final = b"surplus!"

Mishap = Callable[[Reply, float | None], Script]


def script_of(kind: str, reply: Reply, bandwidth: float | None) -> Script:
    """Return what is sent of an answer that meets a fault; all of it if the fault is not the transport's."""
    return MISHAPS.get(kind, whole)(reply, bandwidth)


def _slicer(reply: Reply, bandwidth: float | None) -> Script:
    """Send the body in small pieces, a moment apart."""
    size = len(reply.body)
    step = max(1, -(-size // _SLICES))
    yield Step(head_of(reply, is_end=not size), 0.0)
    for number, start in enumerate(range(0, size, step), start=1):
        end = min(start + step, size)
        after_s = max(number * _SLICE_PAUSE_S, end / bandwidth if bandwidth else 0.0)
        yield Step(Data(reply.body[start:end], end == size), after_s)


def _reset_before_headers(_reply: Reply, _bandwidth: float | None) -> Script:
    yield Step(Reset(), 0.0)


def _reset_mid_body(reply: Reply, bandwidth: float | None) -> Script:
    after_s = 0.0
    for step in _stall(reply, bandwidth):
        after_s = step.after_s
        yield step
    yield Step(Reset(), after_s)


def _goaway(_reply: Reply, _bandwidth: float | None) -> Script:
    yield Step(GoAway(), 0.0)


def _short_body(reply: Reply, bandwidth: float | None) -> Script:
    """End the stream short of its length."""
    yield from whole(reply._replace(body=reply.body[: len(reply.body) // 2]), bandwidth)


def _stall(reply: Reply, bandwidth: float | None) -> Script:
    yield Step(head_of(reply, is_end=False), 0.0)
    for end, data in pieces(reply.body, len(reply.body) // 2, bandwidth):
        yield Step(Data(data, is_end=False), end / bandwidth if bandwidth else 0.0)


def _drip(reply: Reply, _bandwidth: float | None) -> Script:
    """Send all but the last byte, one at a time."""
    yield Step(head_of(reply, is_end=False), 0.0)
    for at in range(len(reply.body) - 1):
        yield Step(Data(reply.body[at : at + 1], is_end=False), at * _DRIP_S)


def _slow_headers(_reply: Reply, _bandwidth: float | None) -> Script:
    """Hold the headers back: no other frame may stand between their parts, so half of them block them all."""
    yield from ()


def _bad_length(reply: Reply, bandwidth: float | None) -> Script:
    yield from whole(reply._replace(fields=sized(reply.fields, b"many")), bandwidth)


def _duplicate_length(reply: Reply, bandwidth: float | None) -> Script:
    """Name a wrong length before the right one: where only one counts, it is often the first."""
    size = len(reply.body)
    yield from whole(reply._replace(fields=sized(reply.fields, b"%d" % (size // 2), b"%d" % size)), bandwidth)


def _huge_header(reply: Reply, bandwidth: float | None) -> Script:
    filling = (b"x-filling", b"x" * _HUGE_HEADER_BYTES)
    yield from whole(reply._replace(fields=(*reply.fields, filling)), bandwidth)


def _surplus_bytes(reply: Reply, bandwidth: float | None) -> Script:
    yield from whole(reply._replace(body=reply.body[:] + _SURPLUS), bandwidth)


MISHAPS: Final[Mapping[str, Mishap]] = MappingProxyType(
    {
        "slicer": _slicer,
        "reset_before_headers": _reset_before_headers,
        "reset_mid_body": _reset_mid_body,
        "goaway": _goaway,
        "short_body": _short_body,
        "stall": _stall,
        "drip": _drip,
        "slow_headers": _slow_headers,
        "bad_length": _bad_length,
        "duplicate_length": _duplicate_length,
        "huge_header": _huge_header,
        "surplus_bytes": _surplus_bytes,
    }
)
"""By kind of ``bench.faults``; the others are answers of their own, or come before there is a request."""
