"""Build the responses that replace a flag, and define the pacing of transport faults."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from struct import pack
from types import MappingProxyType
from typing import Final

from bench.model.cases import Fault, Profile
from bench.model.planned_bodies import make_wrong_body
from bench.server.responses import GIF, Bytes, Header, Response, build_response, no_content, status_response
from bench.server.routes import Resource

UNPACKED_BYTES: Final = 1024**3
_BLOCK_BYTES: Final = 256 * 1024
_GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
"""Deflate, no name, no time, best compression, unknown system (RFC 1952, 2.3)."""
_LAST_BLOCK: Final = b"\x03\x00"
"""An empty final block."""
_CHECKSUM: Final = 0x5B64C2B0
"""CRC-32 of a gibibyte of zeros; computing it takes half a second."""
_RETRY_AFTER: Final[Header] = ("Retry-After", "1")
_OFF_HOST: Final = "http://192.0.2.1/"
"""An address of TEST-NET-1, reserved for documentation (RFC 5737)."""
_INVERTED: Final = bytes(range(255, -1, -1))


@dataclass(frozen=True, slots=True)
class FaultPacing:
    """Times and size of the faults that send a response slowly, or far too much of it.

    Attributes:
        slice_s: between the pieces of a sliced response.
        byte_s: between the bytes of a dripping one.
        oversized_bytes: body of an oversized one.
    """

    slice_s: float = 0.001
    byte_s: float = 0.03
    oversized_bytes: int = 1024**3


DEFAULT_PACING: Final = FaultPacing()
MOST_SLICES: Final = 20
"""Pieces of a sliced response."""
HUGE_HEADER: Final[Header] = ("X-Huge", "." * (256 * 1024))
SURPLUS: Final = b"and this is more than was promised"


def fault_response(fault: Fault, resource: Resource) -> Response | None:
    """Return the response that replaces a resource, or None if the fault is one of the transport."""
    if fault.kind == "status":
        return status_response(fault.status)
    return _build(fault.kind, resource) if fault.kind in _BUILDERS else None


def prepare_responses(profile: Profile) -> None:
    """Build the responses of a profile that would make others late if they were built during a round."""
    if any(fault.kind == "gzip_bomb" for fault in profile.faults):
        _gzip_bomb_response()


@cache
def gzip_bomb() -> bytes:
    """Pack a gibibyte of zeros into a megabyte of gzip, within a millisecond.

    Deflate cannot pack better than 1:1032. One block that refers to no data before it is packed once and
    repeated, within a single member because not every client reads on after the first.
    """
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = deflate.compress(bytes(_BLOCK_BYTES)) + deflate.flush(zlib.Z_FULL_FLUSH)
    trailer = pack("<II", _CHECKSUM, UNPACKED_BYTES % 2**32)
    return _GZIP_HEADER + block * (UNPACKED_BYTES // _BLOCK_BYTES) + _LAST_BLOCK + trailer


@cache
def _build(kind: str, resource: Resource) -> Response:
    return _BUILDERS[kind](resource)


def _wrong_content(resource: Resource) -> Response:
    body = resource.response.body
    if isinstance(body, memoryview):  # of made-up bytes, of which another copy could be large
        return _with_body(resource, make_wrong_body(resource.country, len(body)))
    return _with_body(resource, body.translate(_INVERTED))


def _empty_body(resource: Resource) -> Response:
    return _with_body(resource, b"")


def _redirect_loop(resource: Resource) -> Response:
    """Redirect to the resource's own name, relative to its address."""
    return status_response(HTTPStatus.FOUND, ("Location", resource.name))


def _redirect_off_host(resource: Resource) -> Response:
    return status_response(HTTPStatus.FOUND, ("Location", _OFF_HOST + resource.name))


@cache
def _gzip_bomb_response() -> Response:
    """Build one for all resources: it is a hundred times larger than a flag."""
    return build_response(HTTPStatus.OK, GIF, gzip_bomb(), ("Content-Encoding", "gzip"))


def _with_body(resource: Resource, body: Bytes) -> Response:
    return build_response(HTTPStatus.OK, resource.response.header("Content-Type"), body)


_BUILDERS: Final[Mapping[str, Callable[[Resource], Response]]] = MappingProxyType(
    {
        "not_found": lambda _: status_response(HTTPStatus.NOT_FOUND),
        "server_error": lambda _: status_response(HTTPStatus.INTERNAL_SERVER_ERROR),
        "unavailable": lambda _: status_response(HTTPStatus.SERVICE_UNAVAILABLE, _RETRY_AFTER),
        "rate_limited": lambda _: status_response(HTTPStatus.TOO_MANY_REQUESTS, _RETRY_AFTER),
        "wrong_content": _wrong_content,
        "no_content": lambda _: no_content(),
        "empty_body": _empty_body,
        "redirect_loop": _redirect_loop,
        "redirect_off_host": _redirect_off_host,
        "gzip_bomb": lambda _: _gzip_bomb_response(),
    }
)
