"""Decide whether a round counts: all checks of the worker, most serious first. Used by the trial.

Each check returns the problem it finds, or None. If there is none, ``bench.runner.validate`` compares the
report with the server log, the machine's counters and the runner's own clock.
"""

import reprlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType, NoneType
from typing import Final, NamedTuple, get_args

from bench.api import Fetch
from bench.api.outcomes import FetchOutcome
from bench.model.text import count_names, one_line
from bench.model.trial_outcome import Invalid, Outcome
from bench.worker.fetch_times import has_only_duration, is_within_call
from bench.worker.round_files import FileComparison

_OUTCOMES: Final = frozenset(get_args(FetchOutcome))
_MAX_EXTRA_FETCHES: Final = 10_000
"""Fetches that are checked beyond those asked for; a longer list is not worth the time."""
_MAX_FAILURES: Final = 5
_FIELD_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "country": str,
    "start_s": (int, float),
    "end_s": (int, float),
    "status": int,
    "size_bytes": int,
    "outcome": str,
    "detail": str,
    "answered_s": (int, float),
    "checksum": (int, NoneType),
    "opening_s": (int, float),
    "opened_s": (int, float),
    "opened_in": str,
    "scheduled_s": (int, float),
    "work_s": (int, float, NoneType),
}
_CLOCK_DRIFT: Final = 0.001
"""By which the clock of another machine may be faster than ours: much more than any that is set by NTP."""
_TIMES: Final = ("start_s", "answered_s", "end_s")


class FinishedRound(NamedTuple):
    """One call of ``download_many`` after its return.

    Attributes:
        countries: the codes asked for.
        return_problem: the result of ``check_return_value``.
        fetches: the fetches returned; empty if there is a return problem.
        files: the flags saved, compared with those served.
        links: a line for each link out of the trial's folder.
        unprocessed: the codes of flags on which the CPU work was not done that the case is planned with.
    """

    countries: Sequence[str]
    return_problem: Invalid | None
    fetches: Sequence[Fetch]
    files: FileComparison
    links: Sequence[str]
    unprocessed: Sequence[str] = ()


def check_round(finished: FinishedRound) -> Invalid | None:
    """Return the most serious problem of a round, or None.

    A shortage of this machine comes first, as it may have caused everything else.
    """
    asked, files = Counter(finished.countries), finished.files
    fetched = Counter(fetch.country for fetch in finished.fetches)
    problems = (
        _check_local_resources(finished.fetches),
        _check_none("escape", finished.links, "link out of its folder", "links out of its folder"),
        finished.return_problem,
        _check_none("missing", sorted((asked - fetched).elements()), "fetch missing", "fetches missing"),
        Invalid("corrupt", files.differing[0]) if files.differing else None,
        _check_none("missing", files.missing, "file missing", "files missing"),
        _check_none(
            "unexpected", sorted((fetched - asked).elements()), "unexpected fetch", "unexpected fetches"
        ),
        _check_none("unexpected", files.unexpected, "unexpected file", "unexpected files"),
        _check_none("missing", finished.unprocessed, "flag without its CPU work", "flags without CPU work"),
    )
    return next((problem for problem in problems if problem is not None), None)


def check_return_value(
    returned: object, asked: int, called_s: float, returned_s: float, *, elsewhere: bool = False
) -> Invalid | None:
    """Return the first problem of a return value, or None if it is a list of valid fetches.

    A strategy that does not know the times of a fetch may leave all of them zero. If fetches are made
    ``elsewhere``, by the clock of another machine, only their durations are known, and they start at zero.
    """
    if not isinstance(returned, list):
        return _bad_return(f"{type(returned).__name__}, not a list of Fetch")
    if len(returned) > asked + _MAX_EXTRA_FETCHES:
        return Invalid("unexpected", f"{len(returned):,} fetches for {asked:,} countries")
    for item in returned:
        if not isinstance(item, Fetch):
            return _bad_return(f"a list with {reprlib.repr(item)} in it, which is not a Fetch")
        if problem := _field_problem(item) or _time_problem(item, called_s, returned_s, elsewhere):
            return _bad_return(f"a Fetch of {reprlib.repr(item.country)} whose {problem}")
    return None


def describe_failures(
    fetches: Iterable[Fetch], paths: Mapping[str, str] = MappingProxyType({})
) -> tuple[str, ...]:
    """Describe the first five failed fetches, in a line each; ``paths`` are those of a target's files."""
    return tuple(islice(_failures(fetches, paths), _MAX_FAILURES))


def _check_local_resources(fetches: Iterable[Fetch]) -> Invalid | None:
    for fetch in fetches:
        if fetch.outcome == "local_resource":
            detail = f"local_resource: {fetch.country}: {one_line(fetch.detail)}"
            return Invalid("invalid", one_line(detail))
    return None


def _check_none(outcome: Outcome, names: Sequence[str], one: str, many: str) -> Invalid | None:
    """Return a problem with these names, or None if there are none."""
    return Invalid(outcome, count_names(names, one, many)) if names else None


def _field_problem(fetch: Fetch) -> str | None:
    for name, type_ in _FIELD_TYPES.items():
        value = getattr(fetch, name)
        if not isinstance(value, type_) or isinstance(value, bool):
            return f"{name} is of type {type(value).__name__}"
    return None if fetch.outcome in _OUTCOMES else f"outcome is {reprlib.repr(fetch.outcome)}"


def _time_problem(fetch: Fetch, called_s: float, returned_s: float, elsewhere: bool) -> str | None:  # noqa: FBT001
    has_times = fetch.start_s or fetch.answered_s or fetch.end_s
    if not has_times or is_within_call(fetch, called_s, returned_s):
        return None
    longest_s = (returned_s - called_s) * (1 + _CLOCK_DRIFT)
    if elsewhere and has_only_duration(fetch) and fetch.end_s <= longest_s:
        return None
    times = ", ".join(f"{name}={reprlib.repr(getattr(fetch, name))}" for name in _TIMES)
    return f"times are not in order within {called_s:g} to {returned_s:g}: {times}"


def _bad_return(what: str) -> Invalid:
    return Invalid("error", one_line(f"download_many returned {what}"))


def _failures(fetches: Iterable[Fetch], paths: Mapping[str, str]) -> Iterator[str]:
    for fetch in fetches:
        if fetch.outcome != "ok":
            detail = one_line(fetch.detail) or f"HTTP status {fetch.status}"
            if fetch.country in paths:
                detail += f" ({paths[fetch.country]})"
            yield one_line(f"{fetch.country}: {fetch.outcome}: {detail}")
