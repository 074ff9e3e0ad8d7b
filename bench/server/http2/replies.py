"""Answers as HTTP/2 has them, those of faults that are no more than another answer included."""

import zlib
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from bench.model import Fault
from bench.server.answers import Answer, refusal
from bench.server.decision import Decision
from bench.server.http2.script import Field, Reply

_MIB: Final = 1024 * 1024
_HUGE_BYTES: Final = 1024 * _MIB
_HUGE_CRC: Final = 0x5B64C2B0
"""CRC-32 of so many zeros, for which one would have to wait a quarter of a second."""
_GZIP_START: Final = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"
_OFF_HOST: Final = b"http://192.0.2.1"  # TEST-NET-1 of RFC 5737: nobody's machine
_STATUSES: Final = {"not_found": 404, "server_error": 500, "unavailable": 503, "rate_limited": 429}
_LATER: Final = frozenset((429, 503))


def reply_to(decision: Decision, target: bytes) -> Reply:
    """Return what a request for ``target`` is answered where nothing disturbs the transport."""
    reply = reply_of(decision.answer)
    kind = "" if decision.fault is None else decision.fault.kind
    if kind in _STATUSES:
        return _refused(_STATUSES[kind])
    another = _OTHERS.get(kind)
    return reply if another is None else another(reply, target)


def is_another(fault: Fault) -> bool:
    """Tell whether a fault is no more than another answer."""
    return fault.kind == "status" or fault.kind in _STATUSES or fault.kind in _OTHERS


def reply_of(answer: Answer) -> Reply:
    """Return an answer without what HTTP/1.1 alone has a use for."""
    return Reply(answer.status, _fields(answer.kept_head), answer.body)


def sized(fields: tuple[Field, ...], *lengths: bytes) -> tuple[Field, ...]:
    """Return fields with these lengths instead of the true one."""
    others = tuple(field for field in fields if field[0] != b"content-length")
    return (*others, *((b"content-length", length) for length in lengths))


def _refused(status: int) -> Reply:
    refused = reply_of(refusal(status))
    if status not in _LATER:
        return refused
    return refused._replace(fields=(*refused.fields, (b"retry-after", b"1")))


def _wrong_content(reply: Reply, _target: bytes) -> Reply:
    return reply._replace(body=bytes(byte ^ 0xFF for byte in reply.body[:]))


def _no_content(reply: Reply, _target: bytes) -> Reply:
    return Reply(HTTPStatus.NO_CONTENT, tuple(each for each in reply.fields if each[0] == b"server"), b"")


def _empty_body(reply: Reply, _target: bytes) -> Reply:
    return reply._replace(fields=sized(reply.fields, b"0"), body=b"")


def _redirect_loop(reply: Reply, target: bytes) -> Reply:
    return Reply(HTTPStatus.FOUND, (*sized(reply.fields, b"0"), (b"location", target)), b"")


def _redirect_off_host(reply: Reply, target: bytes) -> Reply:
    return _redirect_loop(reply, _OFF_HOST + target)


def _gzip_bomb(reply: Reply, _target: bytes) -> Reply:
    fields = (*sized(reply.fields, b"%d" % len(_bomb())), (b"content-encoding", b"gzip"))
    return reply._replace(fields=fields, body=_bomb())


_OTHERS: Final[Mapping[str, Callable[[Reply, bytes], Reply]]] = MappingProxyType(
    {
        "wrong_content": _wrong_content,
        "no_content": _no_content,
        "empty_body": _empty_body,
        "redirect_loop": _redirect_loop,
        "redirect_off_host": _redirect_off_host,
        "gzip_bomb": _gzip_bomb,
    }
)
"""By kind of ``bench.faults``: what is answered instead of a resource."""


@lru_cache(maxsize=1024)
def _fields(head: bytes) -> tuple[Field, ...]:
    lines = head.rstrip(b"\r\n").split(b"\r\n")[1:]
    fields = (line.partition(b": ")[::2] for line in lines)
    return tuple((name.lower(), value) for name, value in fields if name != b"Connection")


@cache
def _bomb() -> bytes:
    """Return a gzip of 1 GiB of zeros, put together from one MiB of them that is packed once (RFC 1952)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(bytes(_MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.flush() + _HUGE_CRC.to_bytes(4, "little") + _HUGE_BYTES.to_bytes(4, "little")
    return _GZIP_START + block * (_HUGE_BYTES // _MIB) + end
