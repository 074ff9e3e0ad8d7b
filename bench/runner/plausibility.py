"""Whether a report can be kept at all: it comes from a process that a strategy shares, and may be forged."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from bench.api.outcomes import FetchOutcome
from bench.model.json_codec import MalformedError, plain
from bench.model.latency_histogram import are_counts
from bench.worker.protocol import Report, TimedRound

_OUTCOMES: Final = frozenset(get_args(FetchOutcome))
_LONGEST_TEXT: Final = 1_000
_GREATEST: Final = 1e15
"""Beyond it, sums of what a worker reports might be no numbers any more."""


def checked(report: Report) -> Report:
    """Return a report that can be recorded, which is not to say that it is true.

    Raises:
        MalformedError: it cannot.
    """
    for scalar in _scalars(plain(report)):
        if isinstance(scalar, str) and len(scalar) > _LONGEST_TEXT:
            raise MalformedError(f"a text of {len(scalar):,} characters")
        if isinstance(scalar, int | float) and abs(scalar) > _GREATEST:
            raise MalformedError("a number that is no time and no count")
    for timed in report.rounds:
        _check_counts(timed)
    if report.left is not None and min(report.left.threads, report.left.descriptors) < 0:
        raise MalformedError("less than nothing left behind")
    return report


def _check_counts(timed: TimedRound) -> None:
    if not timed.fetches.keys() <= _OUTCOMES:
        raise MalformedError("fetches of a class that there is not")
    if timed.verified < 0 or any(count < 1 for count in timed.fetches.values()):
        raise MalformedError("counts of less than one fetch")
    if not are_counts(timed.latencies_us):
        raise MalformedError("latencies that are no counts")


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from value.keys()
        for each in value.values():
            yield from _scalars(each)
    elif isinstance(value, list):
        for each in value:
            yield from _scalars(each)
    else:
        yield value
