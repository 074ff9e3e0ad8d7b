"""How a fetch ended, in one word: the same word for every strategy and client.

Statuses follow RFC 9110; 418 is what the chapter's error server answers. Client libraries wrap the
operating system's errors in their own, so the chain of causes is walked down to the first known one.
"""

import errno
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

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

_BY_STATUS: Final[dict[int, FetchOutcome]] = {
    200: "ok",
    404: "not_found",
    418: "server_error",
    429: "rate_limited",
    503: "unavailable",
}
_BY_HUNDRED: Final[dict[int, FetchOutcome]] = {2: "corrupt", 3: "redirect", 5: "server_error"}
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
_BY_ERROR: Final[tuple[tuple[type[BaseException], FetchOutcome], ...]] = (
    (TimeoutError, "timeout"),
    (ConnectionRefusedError, "refused"),
    (ConnectionResetError, "reset"),
    (BrokenPipeError, "reset"),
)


def outcome_of_status(status: int) -> FetchOutcome:
    """Name the class of an answer that arrived whole."""
    return _BY_STATUS.get(status) or _BY_HUNDRED.get(status // 100, "error")


def outcome_of_error(error: BaseException) -> FetchOutcome:
    """Name the class of a fetch that got no answer, or whose flag could not be saved."""
    if local_fault(error) is not None:
        return "local_resource"
    for link in _chain(error):
        for kind, outcome in _BY_ERROR:
            if isinstance(link, kind):
                return outcome
        # requests and urllib3 derive their time-outs from OSError and HTTPError, not TimeoutError
        if "Timeout" in type(link).__name__:
            return "timeout"
    return "error"


def local_fault(error: BaseException) -> OSError | None:
    """Return the error by which this machine said what it lacks, if another comes of one."""
    local = (link for link in _chain(error) if isinstance(link, OSError) and link.errno in _LOCAL)
    return next(local, None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what it was raised from, what it groups and what libraries pass as its arguments."""
    seen: set[int] = set()
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
