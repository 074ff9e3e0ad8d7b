"""A run for github-action-benchmark, as its tool ``customSmallerIsBetter`` reads it."""

import json
from typing import Any

from bench.model.results import Run
from bench.model.text import plural
from bench.report.export.cases import CaseEntry, entries_of
from bench.stats.intervals import Interval


def to_github_action_benchmark(run: Run) -> str:
    """Write the median of each case, in seconds.

    Raises:
        UsageError: no case succeeded in any block.
    """
    return json.dumps([_result(entry) for entry in entries_of(run)], indent=1, allow_nan=False) + "\n"


def _result(entry: CaseEntry) -> dict[str, Any]:
    found = entry.median
    told = [plural(len(entry.values_s), "block")]
    if entry.failed:
        told.append(f"{plural(entry.failed, 'failed trial')}, left out")
    return {
        "name": entry.name,
        "unit": "s",
        "value": found.estimate,
        **_range(found),
        "extra": "\n".join(told),
    }


def _range(found: Interval) -> dict[str, str]:
    """Write the farther bound, as the format has one figure for both; without bounds nothing is said."""
    if found.low is None or found.high is None:
        return {}
    half_s = max(found.high - found.estimate, found.estimate - found.low)
    return {"range": f"± {half_s:.9f}"}
