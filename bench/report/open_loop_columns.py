"""The columns about open loops, for the table of results and the summary of runs with a rate."""

from typing import Final

from bench.report.case_columns import CaseColumn, measured_column
from bench.report.number_format import (
    MISSING,
    TimeUnit,
    format_count,
    format_duration,
    format_interval,
    format_number,
    format_percent,
)
from bench.report.value_path import read_value
from bench.stats.case_summary import CaseSummary
from bench.stats.intervals import Interval
from bench.stats.saturation import Saturation

_MILLISECONDS: Final = TimeUnit("ms", 1000.0)


def _estimate(interval: Interval) -> str:
    return format_number(interval.estimate)


def _p99(row: CaseSummary) -> Interval | None:
    return None if row.open_loop is None else row.open_loop.p99


OPEN_LOOP_COLUMNS: Final = (
    measured_column("reached /s", "open_loop.reached", _estimate),
    measured_column("backlog", "open_loop.backlog", format_count),
    measured_column("waiting", "open_loop.waiting.estimate", format_percent),
    CaseColumn("keeps up", lambda row: write_saturation(read_value(row, "open_loop.saturation")), "left"),
    measured_column("late p99 ms", "open_loop.late_start_p99_s", _MILLISECONDS.format),
    measured_column("p99 ms", _p99, lambda p99: _MILLISECONDS.format(p99.estimate)),
    measured_column("p99 95%", _p99, lambda p99: format_interval(p99, _MILLISECONDS.format)),
)
"""Those of the full tables."""
SUMMARY_COLUMNS: Final = (
    measured_column("reached", "open_loop.reached", lambda reached: f"{_estimate(reached)}/s"),
    measured_column("backlog", "open_loop.backlog", format_count),
    measured_column("p99", _p99, lambda p99: format_duration(p99.estimate)),
    CaseColumn("keeps up", lambda row: write_saturation(read_value(row, "open_loop.saturation")), "left"),
)
"""Those of the summary, in place of what compares times."""


def write_saturation(found: Saturation | None) -> str:
    """Write whether a case keeps up with its rate."""
    match found:
        case "keeps up":
            return "yes"
        case "saturated":
            return "saturated"
        case "undecided":
            return "?"
        case None:
            return MISSING
