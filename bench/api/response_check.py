"""The class of an answer that arrived in time: the same for every client, whatever its library lets pass."""

from typing import Final, TypeAlias

from bench.api.client import Answer
from bench.api.outcomes import FetchOutcome, outcome_of_status

_EITHER_ZLIB_OR_GZIP: Final = 47
"""``wbits`` of zlib for a window of 32 KiB behind either header."""
_OK: Final = 200


CheckedOutcome: TypeAlias = tuple[FetchOutcome, str]
"""A class, and what led to it where the status alone did not."""


def check_response(answer: Answer, largest_bytes: int) -> CheckedOutcome:
    """Judge status, length and encoding of an answer."""
    status, body, headers = answer
    if status != _OK:
        return _refused(answer)
    length = headers.get("Content-Length")
    if length is not None and length != str(len(body)):
        judgement = _misframed(length, len(body))
        if judgement is not None:
            return judgement
    encoding = headers.get("Content-Encoding")
    if encoding is not None and encoding.lower() != "identity":
        return _encoded(encoding, body, largest_bytes)
    return ("ok", "") if body else ("corrupt", "the body is empty")


def _misframed(length: str, received: int) -> CheckedOutcome | None:
    """Judge a Content-Length that is not written as the length received is (RFC 9112, 6.3)."""
    named = {part.strip() for part in length.split(",")}  # one that is repeated may stand (RFC 9110, 8.6)
    (promised, *others) = named
    if others or not (promised.isascii() and promised.isdigit()):
        return ("protocol", f"Content-Length: {length[:100]}")
    digits = promised.lstrip("0") or "0"
    here = str(received)
    if digits == here:
        return None
    is_short = (len(here), here) < (len(digits), digits)  # a number may be too long to be read as one
    return ("truncated" if is_short else "protocol", f"{here} bytes of a Content-Length of {digits[:100]}")


def _refused(answer: Answer) -> CheckedOutcome:
    wait = answer.headers.get("Retry-After")
    detail = "" if wait is None else f"HTTP status {answer.status}, Retry-After: {wait[:100]}"
    return outcome_of_status(answer.status), detail


def _encoded(encoding: str, body: bytes, largest_bytes: int) -> CheckedOutcome:
    """Judge a body in an encoding nobody asked for: a bomb is too large, anything else is not the flag."""
    import zlib

    try:
        size_bytes = len(zlib.decompressobj(_EITHER_ZLIB_OR_GZIP).decompress(body, largest_bytes + 1))
    except zlib.error:
        size_bytes = 0
    bomb = size_bytes > largest_bytes
    return ("too_large" if bomb else "corrupt", f"Content-Encoding: {encoding[:100]}")
