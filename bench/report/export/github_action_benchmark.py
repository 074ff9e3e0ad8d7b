"""Export a run for github-action-benchmark, to be read as its tool ``customSmallerIsBetter``."""

from typing import Any

from bench.model.results import Run
from bench.model.text import plural
from bench.report.export.cases import CaseEntry, entries_of
from bench.report.export.json import strict_json
from bench.stats.intervals import Interval


def to_github_action_benchmark(run: Run) -> str:
    """Write the median of each case, in seconds."""
    return strict_json([_result(entry) for entry in entries_of(run)])


def _result(entry: CaseEntry) -> dict[str, Any]:
    median = entry.median
    notes = [plural(len(entry.values_s), "block")]
    if entry.failed:
        notes.append(f"{plural(entry.failed, 'failed trial')}, left out")
    return {
        "name": entry.name,
        "unit": "s",
        "value": median.estimate,
        **_range(median),
        "extra": "\n".join(notes),
    }


def _range(median: Interval) -> dict[str, str]:
    """Write the distance to the farther bound, as the format has one figure for both; nothing without."""
    if median.low is None or median.high is None:
        return {}
    half_s = max(median.high - median.estimate, median.estimate - median.low)
    return {"range": f"± {half_s:.9f}"}
