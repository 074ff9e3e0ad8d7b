"""A run in the Bencher Metric Format, for ``bencher run --adapter json``."""

import json
from collections.abc import Callable
from typing import Any, Final

from bench.errors import UsageError
from bench.model.results import Run
from bench.report.export.cases import CaseEntry, entries_of
from bench.stats.intervals import Interval

_NANOSECONDS: Final = 1e9
_LONGEST_NAME: Final = 1024
"""In bytes of UTF-8; Bencher refuses a file with a longer one."""


def to_bencher(run: Run) -> str:
    """Write ``latency``, the median of a round in nanoseconds, and ``throughput``, its fetches per second.

    Raises:
        UsageError: no case succeeded in any block, or a name is longer than Bencher takes.
    """
    entries = entries_of(run)
    for entry in entries:
        if len(entry.name.encode()) > _LONGEST_NAME:
            raise UsageError(
                f"a case has a name of more than {_LONGEST_NAME:,} bytes, which Bencher refuses: "
                f"{entry.name[:40]}…",
                hint="give its strategy and profile shorter names",
            )
    document = {entry.name: _measures(entry) for entry in entries}
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _measures(entry: CaseEntry) -> dict[str, Any]:
    fetches, found = len(entry.case.countries.fetches), entry.median
    turned = Interval(found.estimate, found.high, found.low)
    return {
        "latency": _metric(found, lambda seconds: seconds * _NANOSECONDS),
        "throughput": _metric(turned, lambda seconds: fetches / seconds),
    }


def _metric(found: Interval, scaled: Callable[[float], float]) -> dict[str, float]:
    """Write an estimate with the bounds that there are; the format has no ``null``."""
    bounds = {"lower_value": found.low, "upper_value": found.high}
    return {
        "value": scaled(found.estimate),
        **{name: scaled(bound) for name, bound in bounds.items() if bound is not None},
    }
