"""The limits of a worker's report: a strategy may have forged it, and only sane values are recorded.

Used by ``bench.runner.processes.worker_process`` when a report arrives.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from bench.api.outcomes import FetchOutcome
from bench.model.json_codec import to_json_value
from bench.model.latency_histogram import are_counts
from bench.worker.protocol import MOST_SPANS, CallSpans, Report, TimedRound

_OUTCOMES: Final = frozenset(get_args(FetchOutcome))
LONGEST_TEXT: Final = 1_000
_LONGEST_CODE: Final = 3
"""Of a country two letters; of a file of a target up to three."""
_MOST_NAMES: Final = 100
"""Libraries of a worker, and classes of event loops."""
_GREATEST: Final = 1e15
"""Sums of greater figures might not be finite any more."""


def find_unrecordable(report: Report) -> str | None:
    """Return why a report cannot be recorded; ``None`` if it can, which does not make it true."""
    for scalar in _scalars(to_json_value(report)):
        if isinstance(scalar, str) and len(scalar) > LONGEST_TEXT:
            return f"a text of {len(scalar):,} characters"
        if isinstance(scalar, int | float) and abs(scalar) > _GREATEST:
            return "a number that is neither a time nor a count"
    loops = () if report.job_use is None else report.job_use.event_loops
    libraries = () if report.runtime is None else report.runtime.libraries
    if max(len(loops), len(libraries)) > _MOST_NAMES:
        return "too many libraries or event loops"
    if report.left is not None and min(report.left.threads, report.left.descriptors) < 0:
        return "a negative number of leaks"
    if report.spans is not None and (problem := _find_bad_spans(report.spans, len(report.rounds))):
        return problem
    return next((problem for timed in report.rounds if (problem := _find_bad_count(timed))), None)


def _find_bad_spans(spans: CallSpans, calls: int) -> str | None:
    if not 0 < spans.call < calls:
        return "spans of a call that was not made"
    columns = (spans.countries, spans.outcomes, spans.starts_s, spans.answers_s, spans.ends_s)
    if len({len(column) for column in columns}) > 1 or len(spans.countries) > MOST_SPANS:
        return "spans of unequal or too many fetches"
    if any(len(country) > _LONGEST_CODE for country in spans.countries):
        return "spans of things that are no countries"
    return None if _OUTCOMES.issuperset(spans.outcomes) else "an unknown outcome of a span"


def _find_bad_count(timed: TimedRound) -> str | None:
    if not timed.fetches.keys() <= _OUTCOMES:
        return "an unknown outcome of fetches"
    if timed.verified < 0 or any(count < 1 for count in timed.fetches.values()):
        return "counts of less than one fetch"
    return None if are_counts(timed.latencies_us) else "latencies that are not counts"


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
