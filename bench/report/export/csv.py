"""Texts in the cells of CSV files, which spreadsheets open."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Final, get_args

from bench.api.outcomes import FetchOutcome
from bench.model.latency_histogram import Latency
from bench.model.results import Gap, Phases, Run, ServerRound
from bench.model.text import printable
from bench.report.export.trial_rows import COLUMNS, rows_of
from bench.stats.case_summary import CaseSummary, Figures, Range
from bench.stats.intervals import Interval
from bench.stats.ranking import rankings
from bench.stats.resource_usage import ResourceUsage

_BEGINS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")
"""What spreadsheets take for the beginning of one; the last four are wide forms of the first four."""


def escape_formula(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula, and a terminal from obeying it."""
    if not isinstance(value, str):
        return value
    return f"'{printable(value)}" if value.startswith(_BEGINS_FORMULA) else printable(value)


_PROBED: Final = (
    "cpu_user_s",
    "cpu_system_s",
    "switches_voluntary",
    "switches_involuntary",
    "memory_bytes",
    "threads",
    "descriptors",
    "loop_lag_p50_s",
    "loop_lag_p99_s",
    "queue_wait_s",
    "gc_s",
)

_HAS_COLUMN: Final = frozenset({"ok", "not_found"})
"""Classes that have a column of another name."""


def to_csv(run: Run) -> str:
    """Write one line per case; times in seconds, shares as fractions, nothing rounded."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for podium in rankings(run):
        for row in podium.rows:
            writer.writerow([escape_formula(value) for value in figures_of(row).values()])
    return text.getvalue()


def figures_of(row: CaseSummary) -> dict[str, object]:
    """Return all that a row says, by the names of the columns; an empty text is what was not measured."""
    return {name: value(row) for name, value in _COLUMNS.items()}


def _figure(value: Callable[[Figures], object]) -> Callable[[CaseSummary], object]:
    return lambda row: "" if row.figures is None else value(row.figures)


def _ratio(value: Callable[[Interval], object]) -> Callable[[CaseSummary], object]:
    return _figure(lambda found: "" if found.times_faster is None else value(found.times_faster.ratio))


def _cost(value: Callable[[ResourceUsage], object]) -> Callable[[CaseSummary], object]:
    def cell(row: CaseSummary) -> object:
        found = None if row.costs is None else value(row.costs)
        return "" if found is None else found

    return cell


def _of(part: str, name: str) -> Callable[[CaseSummary], object]:
    return _cost(lambda found: getattr(getattr(found, part), name, None))


def _seen(part: str, name: str) -> Callable[[CaseSummary], object]:
    return _cost(lambda found: getattr(found, part).get(name))


def _ended(outcome: str) -> Callable[[CaseSummary], object]:
    return _figure(lambda found: found.outcomes[outcome].high if outcome in found.outcomes else 0)


def _greatest(seen: Range | None) -> object:
    return "" if seen is None else seen.high


_COLUMNS: Final[Mapping[str, Callable[[CaseSummary], object]]] = {
    "case": lambda row: row.case.id,
    "strategy": lambda row: row.case.strategy,
    "client": lambda row: row.case.client,
    "workers": lambda row: row.case.workers,
    "keep_alive": lambda row: row.case.keep_alive,
    "profile": lambda row: row.case.profile.name,
    "countries": lambda row: row.case.countries.label,
    "fetches": lambda row: len(row.case.countries.fetches),
    "blocks": lambda row: row.blocks,
    "failed_trials": lambda row: len(row.failed),
    "repeated_trials": lambda row: len(row.repeated),
    "median_elapsed_s": _figure(lambda found: found.elapsed.estimate),
    "median_low_s": _figure(lambda found: found.elapsed.low),
    "median_high_s": _figure(lambda found: found.elapsed.high),
    "times_faster": _ratio(lambda ratio: ratio.estimate),
    "times_faster_low": _ratio(lambda ratio: ratio.low),
    "times_faster_high": _ratio(lambda ratio: ratio.high),
    "efficiency": _figure(lambda found: found.efficiency),
    "max_in_flight": _figure(lambda found: _greatest(found.in_flight)),
    "max_connections": _figure(lambda found: _greatest(found.connections)),
    "min_verified": _figure(lambda found: found.verified.low),
    "max_not_found": _figure(lambda found: found.not_found.high),
    "max_errors": _figure(lambda found: found.errors.high),
    **{f"max_{outcome}": _ended(outcome) for outcome in get_args(FetchOutcome) if outcome not in _HAS_COLUMN},
    "limit": _cost(lambda found: found.limit),
    "cold_start_s": _cost(lambda found: found.cold_start_s),
    "imports_s": _cost(lambda found: found.imports_s),
    **{each.name: _of("phases", each.name) for each in fields(Phases)},
    **{f"gap_{each.name}": _of("gap", each.name) for each in fields(Gap)},
    **{f"latency_{each.name}": _of("latency", each.name) for each in fields(Latency)},
    "cpu_share": _cost(lambda found: found.cpu_share),
    **{name: _seen("figures", name) for name in _PROBED},
    **{f"server_{each.name}": _seen("witness", each.name) for each in fields(ServerRound)},
    "server_busy": _cost(lambda found: found.server_busy),
}


def to_trials_csv(run: Run) -> str:
    """Write one line a round; times in seconds, nothing rounded, and nothing where nothing was measured."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows_of(run):
        writer.writerow([escape_formula(column.value(row)) for column in COLUMNS.values()])
    return text.getvalue()
