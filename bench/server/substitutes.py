"""The faults that are merely other answers, sent as whole and as properly as a flag, by any protocol."""

from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from bench.model.cases import Fault, Profile
from bench.server.answers import GIF, Answer, Header, lay_out, no_content, refusal
from bench.server.bomb import gzip_bomb
from bench.server.routes import Resource

_RETRY_AFTER: Final[Header] = ("Retry-After", "1")
_OFF_HOST: Final = "http://192.0.2.1/"
"""Of TEST-NET-1, where nobody is (RFC 5737)."""
_INVERTED: Final = bytes(range(255, -1, -1))


def substitute(fault: Fault, resource: Resource) -> Answer | None:
    """Return what is sent instead of a resource; ``None`` where the fault is no matter of the answer."""
    if fault.kind == "status":
        return refusal(fault.status)
    return _substitute(fault.kind, resource) if fault.kind in _LAID_OUT else None


def prepare(profile: Profile) -> None:
    """Lay out what would take so long in the middle of a round that other answers were late."""
    if any(fault.kind == "gzip_bomb" for fault in profile.faults):
        _gzip_bomb()


@cache
def _substitute(kind: str, resource: Resource) -> Answer:
    return _LAID_OUT[kind](resource)


def _wrong_content(resource: Resource) -> Answer:
    return _with_body(resource, resource.answer.body.translate(_INVERTED))


def _empty_body(resource: Resource) -> Answer:
    return _with_body(resource, b"")


def _redirect_loop(resource: Resource) -> Answer:
    """Refer to the resource by its own name, which leads a client to where it came from."""
    return refusal(HTTPStatus.FOUND, ("Location", resource.name))


def _redirect_off_host(resource: Resource) -> Answer:
    return refusal(HTTPStatus.FOUND, ("Location", _OFF_HOST + resource.name))


@cache
def _gzip_bomb() -> Answer:
    """Lay out a single one for all resources: it is a hundred times larger than a flag."""
    return lay_out(HTTPStatus.OK, GIF, gzip_bomb(), ("Content-Encoding", "gzip"))


def _with_body(resource: Resource, body: bytes) -> Answer:
    return lay_out(HTTPStatus.OK, resource.answer.header("Content-Type"), body)


_LAID_OUT: Final[Mapping[str, Callable[[Resource], Answer]]] = MappingProxyType(
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
