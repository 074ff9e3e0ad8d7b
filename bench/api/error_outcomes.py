"""The class of an error that a client raised: one table for all libraries, which need not be there.

Libraries wrap the operating system's errors in their own and those in others, so the whole chain is
looked at, for the most telling link first: a body that is *incomplete* because the connection was reset
was reset. Types are known by name, as the worker imports none of these libraries, and by what they say
only where one type stands for several things.
"""

import errno
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeGuard

from bench.api.outcomes import FetchOutcome

_LOCAL: Final = frozenset(
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
"""What this machine lacks: ports, descriptors, memory or disk; neither server nor strategy is to blame."""

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
"""Types that leave no doubt, whatever is around them."""

_EXEMPT: Final = frozenset(
    {
        "RemoteDisconnected",  # http.client derives it from ConnectionResetError
        "NewConnectionError",  # urllib3 derives it from its TimeoutError
    }
)
"""Types that are not what they descend from."""

_TELLING: Final[Mapping[str, FetchOutcome]] = {
    "RemoteDisconnected": "disconnected",  # http.client
    "ServerDisconnectedError": "disconnected",  # aiohttp
    "SSLEOFError": "disconnected",  # ssl, in the handshake; later it is the end of a stream
    "SSLZeroReturnError": "disconnected",  # ssl
    "SSLSyscallError": "disconnected",  # ssl, of an end that no error of the system explains
    "ConnectionNotAvailable": "disconnected",  # httpcore, after a GOAWAY
    "InvalidChunkLength": "protocol",  # urllib3, which derives it from IncompleteRead
    "IncompleteRead": "truncated",  # http.client and urllib3
    "LineTooLong": "protocol",  # http.client and aiohttp
    "BadStatusLine": "protocol",  # http.client and aiohttp
    "InvalidHeader": "protocol",  # urllib3, aiohttp and requests
    "TooManyRedirects": "redirect",  # requests, httpx and aiohttp, where a client follows them
}
"""Types that say what happened."""

_SAID: Final[Mapping[str, FetchOutcome]] = {
    "ConnectionResetError(": "reset",  # aiohttp, which quotes it within an error on the body
    "Server disconnected without sending": "disconnected",  # httpcore
    "<ConnectionTerminated ": "disconnected",  # httpcore, of an event of h2
    "<StreamReset ": "reset",  # httpcore, of an event of h2
    "peer closed connection without sending": "truncated",  # h11
    "Response ended prematurely": "truncated",  # urllib3
    "Not enough data": "truncated",  # aiohttp
}
"""What is said by types that stand for several things."""

_GENERAL: Final[Mapping[str, FetchOutcome]] = {
    "ClientPayloadError": "truncated",  # aiohttp
    "BadHttpMessage": "protocol",  # aiohttp
    "ClientResponseError": "protocol",  # aiohttp, of an answer that it cannot read
    "RemoteProtocolError": "protocol",  # httpx, httpcore and h11
    "LocalProtocolError": "protocol",  # httpx, httpcore and h11
    "ProtocolError": "protocol",  # urllib3, httpcore and h2
    "HTTPException": "protocol",  # http.client
    "SSLError": "tls",  # ssl, urllib3 and requests
}
"""Types that only say of what sort it was."""


def outcome_of_error(error: BaseException, handled: BaseException | None = None) -> FetchOutcome:
    """Name the class of a fetch that got no answer, or whose flag could not be saved.

    ``handled`` is what was being handled when the fetch began, and has nothing to do with it.
    """
    if local_fault(error, handled) is not None:
        return "local_resource"
    links = list(_chain(error, handled))
    for judge in (_decisive, _telling, _general):
        for link in links:
            if (outcome := judge(link)) is not None:
                return outcome
    return "error"


def local_fault(error: BaseException, handled: BaseException | None = None) -> OSError | None:
    """Return the error by which this machine said what it lacks, if another comes of one."""
    return next((link for link in _chain(error, handled) if _is_local(link)), None)


def _is_local(link: BaseException) -> TypeGuard[OSError]:
    # the number of an error of TLS is one of OpenSSL's
    return isinstance(link, OSError) and link.errno in _LOCAL and "SSLError" not in _names(link)


def _decisive(link: BaseException) -> FetchOutcome | None:
    names = _names(link)
    if not _EXEMPT.isdisjoint(names):
        return None
    if outcome := _first(_DECISIVE, names):
        return outcome
    # urllib3, httpcore and pycurl have a dozen of them, with no ancestor in common
    return "timeout" if "Timeout" in names[0] else None


def _telling(link: BaseException) -> FetchOutcome | None:
    if type(link).__name__ == "InvalidBodyLengthError":
        return _of_length(link)
    if outcome := _first(_TELLING, _names(link)):
        return outcome
    said = str(link)
    return next((outcome for words, outcome in _SAID.items() if words in said), None)


def _general(link: BaseException) -> FetchOutcome | None:
    return _first(_GENERAL, _names(link))


def _of_length(error: Any) -> FetchOutcome:
    """Tell a body that is too short from one that is too long; h2 has one error for both."""
    return "truncated" if error.actual_length < error.expected_length else "protocol"


def _names(link: BaseException) -> list[str]:
    return [kind.__name__ for kind in type(link).__mro__]


def _first(table: Mapping[str, FetchOutcome], names: list[str]) -> FetchOutcome | None:
    return next((table[name] for name in names if name in table), None)


def _chain(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, what it was raised from, what it groups and what libraries pass as its arguments.

    What had been raised before, and was being handled, is no link of it.
    """
    seen = set() if error is handled else {id(handled)}
    waiting = [error]
    while waiting:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        several = getattr(link, "exceptions", ())
        causes = (link.__cause__, link.__context__, getattr(link, "reason", None), *link.args, *several)
        waiting.extend(cause for cause in causes if isinstance(cause, BaseException))
