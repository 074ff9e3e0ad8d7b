"""A body that is small on the wire and large for whoever unpacks it."""

import zlib
from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from struct import pack
from types import MappingProxyType
from typing import Final

from bench.model.cases import Fault, Profile
from bench.server.responses import GIF, Header, Response, build_responses, no_content, refusal
from bench.server.routes import Resource

UNPACKED_BYTES: Final = 1024**3
_BLOCK_BYTES: Final = 256 * 1024
_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
"""Deflate, no name, no time, packed as hard as can be, on no system that is known (RFC 1952, 2.3)."""
_LAST_BLOCK: Final = b"\x03\x00"
"""A final block that holds nothing."""
_CHECKSUM: Final = 0x5B64C2B0
"""CRC-32 of a gibibyte of zeros: to work it out takes half a second."""


@cache
def gzip_bomb() -> bytes:
    """Pack a gibibyte of zeros into a megabyte of gzip, in a millisecond.

    Deflate cannot pack better than 1:1032. One block that refers to nothing before it is packed, and stands
    there as often as it takes; in a single member, since not every client reads on after the first.
    """
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = deflate.compress(bytes(_BLOCK_BYTES)) + deflate.flush(zlib.Z_FULL_FLUSH)
    trailer = pack("<II", _CHECKSUM, UNPACKED_BYTES % 2**32)
    return _HEADER + block * (UNPACKED_BYTES // _BLOCK_BYTES) + _LAST_BLOCK + trailer


_RETRY_AFTER: Final[Header] = ("Retry-After", "1")
_OFF_HOST: Final = "http://192.0.2.1/"
"""Of TEST-NET-1, where nobody is (RFC 5737)."""
_INVERTED: Final = bytes(range(255, -1, -1))


def fault_response(fault: Fault, resource: Resource) -> Response | None:
    """Return what is sent instead of a resource; ``None`` where the fault is no matter of the answer."""
    if fault.kind == "status":
        return refusal(fault.status)
    return _substitute(fault.kind, resource) if fault.kind in _LAID_OUT else None


def prepare_responses(profile: Profile) -> None:
    """Lay out what would take so long in the middle of a round that other answers were late."""
    if any(fault.kind == "gzip_bomb" for fault in profile.faults):
        _gzip_bomb()


@cache
def _substitute(kind: str, resource: Resource) -> Response:
    return _LAID_OUT[kind](resource)


def _wrong_content(resource: Resource) -> Response:
    return _with_body(resource, resource.answer.body.translate(_INVERTED))


def _empty_body(resource: Resource) -> Response:
    return _with_body(resource, b"")


def _redirect_loop(resource: Resource) -> Response:
    """Refer to the resource by its own name, which leads a client to where it came from."""
    return refusal(HTTPStatus.FOUND, ("Location", resource.name))


def _redirect_off_host(resource: Resource) -> Response:
    return refusal(HTTPStatus.FOUND, ("Location", _OFF_HOST + resource.name))


@cache
def _gzip_bomb() -> Response:
    """Lay out a single one for all resources: it is a hundred times larger than a flag."""
    return build_responses(HTTPStatus.OK, GIF, gzip_bomb(), ("Content-Encoding", "gzip"))


def _with_body(resource: Resource, body: bytes) -> Response:
    return build_responses(HTTPStatus.OK, resource.answer.header("Content-Type"), body)


_LAID_OUT: Final[Mapping[str, Callable[[Resource], Response]]] = MappingProxyType(
    {
        "not_found": lambda _: refusal(HTTPStatus.NOT_FOUND),
        "server_error": lambda _: refusal(HTTPStatus.INTERNAL_SERVER_ERROR),
        "unavailable": lambda _: refusal(HTTPStatus.SERVICE_UNAVAILABLE, _RETRY_AFTER),
        "rate_limited": lambda _: refusal(HTTPStatus.TOO_MANY_REQUESTS, _RETRY_AFTER),
        "wrong_content": _wrong_content,
        "no_content": lambda _: no_content(),
        "empty_body": _empty_body,
        "redirect_loop": _redirect_loop,
        "redirect_off_host": _redirect_off_host,
        "gzip_bomb": lambda _: _gzip_bomb(),
    }
)
