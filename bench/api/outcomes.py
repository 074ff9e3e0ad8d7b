"""Map each HTTP answer to the outcome of its fetch: the same word for every strategy and client.

Statuses follow RFC 9110; 418 is the answer of the chapter's error server. Errors that a client raises are
mapped in ``bench.api.error_outcomes``.
"""

from typing import Final, Literal, TypeAlias

from bench.api.bodies import Body, StreamedBody
from bench.api.client import Answer

FetchOutcome: TypeAlias = Literal[
    "ok",
    "not_found",
    "server_error",
    "unavailable",
    "rate_limited",
    "redirect",
    "refused",
    "reset",
    "disconnected",
    "truncated",
    "timeout",
    "corrupt",
    "protocol",
    "too_large",
    "tls",
    "local_resource",
    "error",
]

OutcomeAndDetail: TypeAlias = tuple[FetchOutcome, str]
"""An outcome, and the reason for it where the status alone does not tell."""

_BY_STATUS: Final[dict[int, FetchOutcome]] = {
    200: "ok",
    404: "not_found",
    418: "server_error",
    429: "rate_limited",
    503: "unavailable",
}
_BY_CLASS: Final[dict[int, FetchOutcome]] = {2: "corrupt", 3: "redirect", 5: "server_error"}
_OK: Final = 200
_ZLIB_OR_GZIP: Final = 47
"""``wbits`` of zlib: a window of 32 KiB, after a header of either format."""
_SHOWN_CHARACTERS: Final = 100
"""Of a header in a detail."""


def outcome_of_status(status: int) -> FetchOutcome:
    """Return the outcome of an answer that arrived whole."""
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, "error")


def outcome_of_answer(answer: Answer, largest_bytes: int) -> OutcomeAndDetail:
    """Return the outcome of an answer by its status, length and encoding.

    Some libraries accept answers that others refuse; here the outcome is the same for all.
    """
    status, body, headers = answer
    if status != _OK:
        wait = headers.get("Retry-After")
        detail = "" if wait is None else f"HTTP status {status}, Retry-After: {wait[:_SHOWN_CHARACTERS]}"
        return outcome_of_status(status), detail
    length = headers.get("Content-Length")
    if length is not None and length != str(len(body)):
        wrong_length = _outcome_of_length(length, len(body))
        if wrong_length is not None:
            return wrong_length
    encoding = headers.get("Content-Encoding")
    if encoding is not None and encoding.lower() != "identity":
        return _outcome_of_encoding(encoding, body, largest_bytes)
    return ("ok", "") if body else ("corrupt", "the body is empty")


def _outcome_of_length(length: str, received: int) -> OutcomeAndDetail | None:
    """Return the outcome of an unusual Content-Length, or None if it is right (RFC 9112, 6.3)."""
    values = {part.strip() for part in length.split(",")}  # it may be repeated (RFC 9110, 8.6)
    (promised, *others) = values
    if others or not (promised.isascii() and promised.isdigit()):
        return "protocol", f"Content-Length: {length[:_SHOWN_CHARACTERS]}"
    digits = promised.lstrip("0") or "0"
    here = str(received)
    if digits == here:
        return None
    is_short = (len(here), here) < (len(digits), digits)  # it may have too many digits for ``int``
    detail = f"{here} bytes of a Content-Length of {digits[:_SHOWN_CHARACTERS]}"
    return "truncated" if is_short else "protocol", detail


def _outcome_of_encoding(encoding: str, body: Body, largest_bytes: int) -> OutcomeAndDetail:
    """Return the outcome of an encoded body: *too_large* for a zip bomb, else *corrupt*."""
    import zlib  # rarely needed

    unpacker, size_bytes = zlib.decompressobj(_ZLIB_OR_GZIP), 0
    try:
        for piece in body.pieces() if isinstance(body, StreamedBody) else (body,):
            size_bytes += len(unpacker.decompress(piece, largest_bytes + 1 - size_bytes))
            if size_bytes > largest_bytes:
                break
    except zlib.error:
        size_bytes = 0
    detail = f"Content-Encoding: {encoding[:_SHOWN_CHARACTERS]}"
    return "too_large" if size_bytes > largest_bytes else "corrupt", detail
