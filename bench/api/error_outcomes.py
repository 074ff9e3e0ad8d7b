"""Map each error that a client raises to the outcome of its fetch.

One table serves all libraries. Libraries wrap the operating system's errors in their own and those in others.
So the whole chain of causes is searched, for the most specific error first: a body that is *incomplete*
because the connection was reset was reset. Types are known by name, as the worker imports none of these
libraries, and by their message only where one type stands for several things.
"""

import errno
import os
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any, Final, TypeGuard

from bench.api.outcomes import FetchOutcome

_LOCAL_ERRNOS: Final = frozenset(
    {
        errno.EADDRNOTAVAIL,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EDQUOT,
        errno.EIO,
        errno.ENOSPC,
        errno.EROFS,
    }
)
"""This machine lacks ports, descriptors, memory or disk; neither server nor strategy is to blame."""

_SYSTEM_ERRORS_IN_RUST: Final = ("(os error ", "Os { code: ")
"""Words before the number of a system's error, which libraries in Rust give only in their messages."""

_DECISIVE: Final[Mapping[str, FetchOutcome]] = {
    "TooLargeError": "too_large",  # ours
    "TimeoutError": "timeout",  # Python
    "Timeout": "timeout",  # requests
    "TimeoutException": "timeout",  # httpx and httpcore
    "ConnectionRefusedError": "refused",  # Python
    "ConnectionResetError": "reset",  # Python
    "BrokenPipeError": "reset",  # Python
    "SSLCertVerificationError": "tls",  # ssl
    "CertificateError": "tls",  # urllib3 and aiohttp, of the host's name
}
"""Types that decide, regardless of the errors around them."""

_EXEMPT: Final = frozenset(
    {
        "RemoteDisconnected",  # http.client derives it from ConnectionResetError
        "NewConnectionError",  # urllib3 derives it from its TimeoutError
    }
)
"""Types that must not be taken for their base class."""

_CLOSED: Final = "Remote end closed connection without response"
"""Message of http.client, and of niquests, which raises it as a ``ConnectionResetError``."""

_BAD_LENGTH: Final = "InvalidBodyLengthError: Expected "

_SPECIFIC: Final[Mapping[str, FetchOutcome]] = {
    "RemoteDisconnected": "disconnected",  # http.client
    "ServerDisconnectedError": "disconnected",  # aiohttp
    "SSLEOFError": "disconnected",  # ssl, in the handshake; later it is the end of a stream
    "SSLZeroReturnError": "disconnected",  # ssl
    "SSLSyscallError": "disconnected",  # ssl, of an end that no error of the system explains
    "ConnectionNotAvailable": "disconnected",  # httpcore, after a GOAWAY
    "InvalidChunkLength": "protocol",  # urllib3, which derives it from IncompleteRead
    "IncompleteRead": "truncated",  # http.client and urllib3
    "LimitOverrunError": "protocol",  # asyncio
    "LineTooLong": "protocol",  # http.client and aiohttp
    "BadStatusLine": "protocol",  # http.client and aiohttp
    "InvalidHeader": "protocol",  # urllib3, aiohttp and requests
    "TooManyRedirects": "redirect",  # requests, httpx and aiohttp, where a client follows them
}
"""Types with one meaning."""

_MESSAGES: Final[Mapping[str, FetchOutcome]] = {
    _CLOSED: "disconnected",  # first, as niquests calls it a reset
    "ConnectionResetError(": "reset",  # aiohttp, which quotes it within an error on the body
    "Server disconnected without sending": "disconnected",  # httpcore
    "<ConnectionTerminated ": "disconnected",  # httpcore, of an event of h2
    "<StreamReset ": "reset",  # httpcore, of an event of h2
    "error reading a body from connection": "truncated",  # hyper, of pyreqwest and pyqwest
    "without sending TLS close_notify": "disconnected",  # rustls, unless hyper was reading a body
    "was reset by remote peer": "reset",  # niquests, of a stream
    "peer closed connection without sending": "truncated",  # h11
    "Response ended prematurely": "truncated",  # urllib3
    "Not enough data": "truncated",  # aiohttp
    "reset by server (error": "reset",  # libcurl, of an HTTP/2 stream
    "error -532: Violation in HTTP messaging rule": "truncated",  # nghttp2, within an error of libcurl
    "unexpected eof while reading": "truncated",  # OpenSSL, within an error of libcurl
    "curl: (52)": "disconnected",  # curl_cffi: an empty reply
    "curl: (8)": "protocol",  # curl_cffi: a weird one
    "curl: (1) Received HTTP/0.9": "protocol",  # curl_cffi: one without a status line
    "curl: (63)": "too_large",  # curl_cffi
    "curl: (100)": "protocol",  # curl_cffi: one with too large headers
    "Connection closed abruptly": "disconnected",  # curl_cffi, of TLS
    "CERTIFICATE_VERIFY_FAILED": "tls",  # wreq
    "invalid peer certificate": "tls",  # pyreqwest and pyqwest
    "connection closed before message completed": "disconnected",  # hyper, of pyreqwest and pyqwest
    "end of file before message length reached": "truncated",  # hyper
    "invalid content-length parsed": "protocol",  # hyper
    "invalid HTTP ": "protocol",  # hyper, of a version, status or header
    "message head is too large": "protocol",  # hyper
    "Error(IncompleteMessage)": "disconnected",  # wreq
    "error: IncompleteBody": "truncated",  # wreq
    "Error(Parse(": "protocol",  # wreq
}
"""Parts of the messages of types with several meanings; the first that is found decides."""

_GENERAL: Final[Mapping[str, FetchOutcome]] = {
    "ClientPayloadError": "truncated",  # aiohttp
    "ConnectionDisconnected": "truncated",  # aiosonic, unless asyncio's error says that nothing was read
    "HttpParsingError": "protocol",  # aiosonic
    "BadHttpMessage": "protocol",  # aiohttp
    "ClientResponseError": "protocol",  # aiohttp, of an answer that it cannot read
    "RemoteProtocolError": "protocol",  # httpx, httpcore and h11
    "LocalProtocolError": "protocol",  # httpx, httpcore and h11
    "ProtocolError": "protocol",  # urllib3, httpcore and h2
    "HTTPException": "protocol",  # http.client
    "SSLError": "tls",  # ssl, urllib3 and requests
}
"""Base types, for errors that no other table has."""


_CURL: Final[Mapping[int, FetchOutcome]] = {
    1: "protocol",  # UNSUPPORTED_PROTOCOL, of an answer of HTTP/0.9
    8: "protocol",  # WEIRD_SERVER_REPLY
    16: "protocol",  # HTTP2
    18: "truncated",  # PARTIAL_FILE
    27: "local_resource",  # OUT_OF_MEMORY, or of descriptors
    28: "timeout",  # OPERATION_TIMEDOUT
    35: "tls",  # SSL_CONNECT_ERROR
    52: "disconnected",  # GOT_NOTHING
    56: "reset",  # RECV_ERROR
    60: "tls",  # PEER_FAILED_VERIFICATION
    61: "protocol",  # BAD_CONTENT_ENCODING, of the transfer, too
    63: "too_large",  # FILESIZE_EXCEEDED
    92: "protocol",  # HTTP2_STREAM
    100: "protocol",  # TOO_LARGE, of headers
}
"""By the code of libcurl's errors, which all have one type."""


def outcome_of_error(error: BaseException, handled: BaseException | None = None) -> FetchOutcome:
    """Return the outcome of a fetch that got no answer, or whose flag could not be saved.

    ``handled`` is the exception that was being handled when the fetch began; it is not a cause of the error.
    """
    if local_fault(error, handled) is not None:
        return "local_resource"
    chain = list(_cause_chain(error, handled))
    for outcome_of in (_decisive_outcome, _specific_outcome, _general_outcome):
        for link in chain:
            if (outcome := outcome_of(link)) is not None:
                return outcome
    return "error"


def local_fault(error: BaseException, handled: BaseException | None = None) -> OSError | None:
    """Return the cause of an error that is a shortage of this machine, or None."""
    return next((link for link in _cause_chain(error, handled) if _is_local(link)), None)


def _is_local(link: BaseException) -> TypeGuard[OSError]:
    # the errno of a TLS error is one of OpenSSL's
    return isinstance(link, OSError) and link.errno in _LOCAL_ERRNOS and "SSLError" not in _type_names(link)


def _decisive_outcome(link: BaseException) -> FetchOutcome | None:
    names = _type_names(link)
    is_closed = isinstance(link, ConnectionResetError) and _CLOSED in str(link)
    if is_closed or not _EXEMPT.isdisjoint(names):
        return None
    if outcome := _first_known(_DECISIVE, names):
        return outcome
    # urllib3, httpcore and pycurl have a dozen of them, without a common base class
    return "timeout" if "Timeout" in names[0] else None


def _specific_outcome(link: Any) -> FetchOutcome | None:
    match type(link).__name__:
        case "InvalidBodyLengthError":  # h2 has one error for too short and too long
            return "truncated" if link.actual_length < link.expected_length else "protocol"
        case "IncompleteReadError":  # asyncio has one for an end before any byte and one in the middle
            return "truncated" if link.partial or link.expected else "disconnected"
    if outcome := _first_known(_SPECIFIC, _type_names(link)):
        return outcome
    message = str(link)
    if _BAD_LENGTH in message:
        return _outcome_of_length(message)
    return next((outcome for part, outcome in _MESSAGES.items() if part in message), None)


def _outcome_of_length(message: str) -> FetchOutcome:
    """Return the outcome of a body of another length, by a message of h2 that niquests quotes."""
    expected, _, rest = message.partition(_BAD_LENGTH)[2].partition(" bytes, received ")
    received = "".join(takewhile(str.isdigit, rest))
    is_short = expected.isdigit() and received.isdigit() and int(received) < int(expected)
    return "truncated" if is_short else "protocol"


def _general_outcome(link: BaseException) -> FetchOutcome | None:
    if type(link).__module__ == "pycurl" and link.args:
        return _CURL.get(link.args[0])
    return _first_known(_GENERAL, _type_names(link))


def _type_names(link: BaseException) -> list[str]:
    return [type_.__name__ for type_ in type(link).__mro__]


def _first_known(table: Mapping[str, FetchOutcome], names: list[str]) -> FetchOutcome | None:
    return next((table[name] for name in names if name in table), None)


def _cause_chain(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, its causes, the errors that it groups, quotes, and those among its arguments.

    ``handled``, the exception handled before, is not part of the chain.
    """
    seen = set() if error is handled else {id(handled)}
    waiting = [error]
    while waiting:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        grouped = getattr(link, "exceptions", ())
        causes = (link.__cause__, link.__context__, getattr(link, "reason", None), *link.args, *grouped)
        waiting.extend(cause for cause in causes if isinstance(cause, BaseException))
        waiting.extend(_quoted_system_errors(link))


def _quoted_system_errors(link: BaseException) -> Iterator[OSError]:
    """Yield errors of the system that a library in Rust, or curl, only quotes, as Python would raise them."""
    if isinstance(getattr(link, "errno", None), int):  # it is one
        return
    message = str(link)
    for mark in _SYSTEM_ERRORS_IN_RUST:
        rest = message.partition(mark)[2]
        if digits := rest[: len(rest) - len(rest.lstrip("0123456789"))]:
            yield OSError(int(digits), os.strerror(int(digits)))
    if "curl: (" in message:
        for number in _LOCAL_ERRNOS:
            if f": {os.strerror(number)}" in message:
                yield OSError(number, os.strerror(number))
