"""What ``download_many`` returned: whether it is what was agreed, before anything is made of it."""

import reprlib
from collections.abc import Mapping
from types import NoneType
from typing import Final, get_args

from bench.api import Fetch
from bench.api.outcomes import FetchOutcome
from bench.model.text import one_line
from bench.worker.verify import Problem

_OUTCOMES: Final = frozenset(get_args(FetchOutcome))
_MOST_SURPLUS: Final = 10_000
"""Fetches that are looked at beyond those that were asked for; who returns more is not worth the time."""
_FIELDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "country": str,
    "start_s": (int, float),
    "end_s": (int, float),
    "status": int,
    "size_bytes": int,
    "outcome": str,
    "detail": str,
    "answered_s": (int, float),
    "checksum": (int, NoneType),
}
_TIMES: Final = ("start_s", "answered_s", "end_s")


def check_return_value(returned: object, asked: int, called_s: float, returned_s: float) -> Problem | None:
    """Say what is wrong with what came back from a call between these times; ``None`` if nothing is.

    Times that are all zero are times that the strategy does not tell.
    """
    if not isinstance(returned, list):
        return _error(f"{type(returned).__name__}, not a list of Fetch")
    if len(returned) > asked + _MOST_SURPLUS:
        return Problem("unexpected", f"{len(returned):,} fetches for {asked:,} countries")
    for item in returned:
        if not isinstance(item, Fetch):
            return _error(f"a list with {reprlib.repr(item)} in it, which is no Fetch")
        if fault := _misfit(item) or _untimely(item, called_s, returned_s):
            return _error(f"a Fetch of {reprlib.repr(item.country)} whose {fault}")
    return None


def _misfit(fetch: Fetch) -> str:
    """Say which field is not of its type; nothing if all are."""
    for name, kind in _FIELDS.items():
        value = getattr(fetch, name)
        if not isinstance(value, kind) or isinstance(value, bool):
            return f"{name} is of type {type(value).__name__}"
    if fetch.outcome not in _OUTCOMES:
        return f"outcome is {reprlib.repr(fetch.outcome)}"
    return ""


def _untimely(fetch: Fetch, called_s: float, returned_s: float) -> str:
    """Say what is wrong with the times of a fetch; NaN is before, after and at nothing."""
    if not (fetch.start_s or fetch.answered_s or fetch.end_s):
        return ""
    answered_s = fetch.answered_s or fetch.end_s
    if called_s <= fetch.start_s <= answered_s <= fetch.end_s <= returned_s:
        return ""
    told = ", ".join(f"{name}={reprlib.repr(getattr(fetch, name))}" for name in _TIMES)
    return f"times are not in order within {called_s:g} to {returned_s:g}: {told}"


def _error(what: str) -> Problem:
    return Problem("error", one_line(f"download_many returned {what}"))
