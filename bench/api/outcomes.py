"""How a fetch ended, in one word: the same word for every strategy and client.

Statuses follow RFC 9110; 418 is what the chapter's error server answers. ``bench.api.error_outcomes`` has the
errors.
"""

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


def outcome_of_status(status: int) -> FetchOutcome:
    """Name the class of an answer that arrived whole."""
    return _BY_STATUS.get(status) or _BY_HUNDRED.get(status // 100, "error")
