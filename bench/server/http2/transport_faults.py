"""What the faults of the transport look like over HTTP/2: a script each, instead of the whole answer."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from bench.server.http2.frames import Data, GoAway, Reply, Reset, Script, Step, head_of, pieces, sized, whole

_SLICES: Final = 20
_SLICE_S: Final = 0.001
_BYTE_S: Final = 0.03
_HUGE_HEADER: Final = (b"x-huge", b"." * (256 * 1024))
_SURPLUS: Final = b"and this is more than was promised"

FaultyResponse: TypeAlias = Callable[[Reply], Script]


def faulty_response(kind: str, reply: Reply) -> Script | None:
    """Return what is sent of an answer; ``None`` if this kind of fault does not, or finds nothing to spoil.

    No bandwidth holds up a fault, so that it ends in its class and not in a time-out.
    """
    spoil = OF_HEADS.get(kind) or (OF_BODIES.get(kind) if len(reply.body) else None)
    return None if spoil is None else spoil(reply)


def _slicer(reply: Reply) -> Script:
    """Send the body in small pieces, a moment apart."""
    size = len(reply.body)
    step = max(1, -(-size // _SLICES))
    yield Step(head_of(reply, is_end=not size), 0.0)
    for number, start in enumerate(range(0, size, step), start=1):
        end = min(start + step, size)
        yield Step(Data(reply.body[start:end], end == size), number * _SLICE_S)


def _reset_before_headers(_reply: Reply) -> Script:
    yield Step(Reset(), 0.0)


def _reset_mid_body(reply: Reply) -> Script:
    yield from _stall(reply)
    yield Step(Reset(), 0.0)


def _goaway(_reply: Reply) -> Script:
    yield Step(GoAway(), 0.0)


def _short_body(reply: Reply) -> Script:
    """End the stream short of its length."""
    yield from whole(reply._replace(body=reply.body[: len(reply.body) // 2]), None)


def _stall(reply: Reply) -> Script:
    yield Step(head_of(reply, is_end=False), 0.0)
    for _, data in pieces(reply.body, len(reply.body) // 2, None):
        yield Step(Data(data, is_end=False), 0.0)


def _drip(reply: Reply) -> Script:
    """Send all but the last byte, one at a time."""
    yield Step(head_of(reply, is_end=False), 0.0)
    for at in range(len(reply.body) - 1):
        yield Step(Data(reply.body[at : at + 1], is_end=False), at * _BYTE_S)


def _slow_headers(_reply: Reply) -> Script:
    """Hold the headers back: no other frame may stand between their parts, so half of them block them all."""
    yield from ()


def _bad_length(reply: Reply) -> Script:
    yield from whole(reply._replace(fields=sized(reply.fields, b"-1")), None)


def _duplicate_length(reply: Reply) -> Script:
    """Name a wrong length before the right one: where only one counts, it is often the first."""
    size = len(reply.body)
    yield from whole(reply._replace(fields=sized(reply.fields, b"%d" % (size // 2), b"%d" % size)), None)


def _huge_header(reply: Reply) -> Script:
    yield from whole(reply._replace(fields=(*reply.fields, _HUGE_HEADER)), None)


def _surplus_bytes(reply: Reply) -> Script:
    yield from whole(reply._replace(body=reply.body + _SURPLUS), None)


OF_HEADS: Final[Mapping[str, FaultyResponse]] = MappingProxyType(
    {
        "reset_before_headers": _reset_before_headers,
        "goaway": _goaway,
        "slow_headers": _slow_headers,
        "bad_length": _bad_length,
        "duplicate_length": _duplicate_length,
        "huge_header": _huge_header,
    }
)
"""By kind of ``bench.model.faults``: what spoils an answer with or without a body."""
OF_BODIES: Final[Mapping[str, FaultyResponse]] = MappingProxyType(
    {
        "slicer": _slicer,
        "reset_mid_body": _reset_mid_body,
        "short_body": _short_body,
        "stall": _stall,
        "drip": _drip,
        "surplus_bytes": _surplus_bytes,
    }
)
"""By kind, too: what takes a body to be spoilt."""
