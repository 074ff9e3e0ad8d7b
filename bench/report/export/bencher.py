"""Export a run in the Bencher Metric Format, for ``bencher run --adapter json``."""

from collections.abc import Callable
from typing import Any, Final

from bench.errors import UsageError
from bench.model.results import Run
from bench.report.export.cases import CaseEntry, entries_of
from bench.report.export.json import strict_json
from bench.stats.intervals import Interval

_NANOSECONDS: Final = 1e9
_LONGEST_NAME: Final = 1024
"""In bytes of UTF-8; Bencher refuses a file with a longer one."""


def to_bencher(run: Run) -> str:
    """Write ``latency``, the median of a round in nanoseconds, and ``throughput``, its fetches per second.

    Raises:
        UsageError: a name is longer than Bencher takes.
    """
    entries = entries_of(run)
    for entry in entries:
        if len(entry.name.encode()) > _LONGEST_NAME:
            raise UsageError(
                f"a case has a name of more than {_LONGEST_NAME:,} bytes, which Bencher refuses: "
                f"{entry.name[:40]}…",
                hint="give its strategy and profile shorter names",
            )
    return strict_json({entry.name: _measures(entry) for entry in entries})


def _measures(entry: CaseEntry) -> dict[str, Any]:
    fetches, median = entry.case.countries.count, entry.median
    longest_first = Interval(median.estimate, median.high, median.low)
    return {
        "latency": _metric(median, lambda seconds: seconds * _NANOSECONDS),
        "throughput": _metric(longest_first, lambda seconds: fetches / seconds),
    }


def _metric(interval: Interval, convert: Callable[[float], float]) -> dict[str, float]:
    """Write an estimate with its bounds, if it has any; the format has no ``null``."""
    bounds = {"lower_value": interval.low, "upper_value": interval.high}
    return {
        "value": convert(interval.estimate),
        **{name: convert(bound) for name, bound in bounds.items() if bound is not None},
    }
