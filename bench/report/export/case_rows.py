"""List the cases of a run as one table for CSV, data frames and pytest-benchmark."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import partial
from typing import Final, get_args

from bench.api.outcomes import FetchOutcome
from bench.model.latency_histogram import LatencyPercentiles
from bench.model.results import Gap, Phases, Run, ServerRound
from bench.report.case_label import describe_work
from bench.report.export.columns import ExportColumn, ExportTable, Kind
from bench.report.value_path import Source
from bench.stats.case_summary import CaseSummary
from bench.stats.ranking import rankings

_PROBE_FIGURES: Final = (
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
_FAILURES: Final = tuple(outcome for outcome in get_args(FetchOutcome) if outcome not in {"ok", "not_found"})


def _most_ended(row: CaseSummary, outcome: str) -> int | None:
    if row.figures is None:
        return None
    return row.figures.outcomes[outcome].high if outcome in row.figures.outcomes else 0


def _libraries(row: CaseSummary) -> str | None:
    """Write the modules that client and strategy imported, with their versions."""
    if row.fairness is None or not row.fairness.python:
        return None
    return ", ".join(f"{each.module} {each.version}".strip() for each in row.fairness.libraries)


def _event_loops(row: CaseSummary) -> str | None:
    return None if row.fairness is None else ", ".join(row.fairness.event_loops) or None


def _columns(kind: Kind, sources: Mapping[str, Source[CaseSummary]]) -> dict[str, ExportColumn[CaseSummary]]:
    return {name: ExportColumn(kind, source) for name, source in sources.items()}


_COLUMNS: Final[Mapping[str, ExportColumn[CaseSummary]]] = {
    **_columns("text", {"case": "case.id", "strategy": "case.strategy", "client": "case.client"}),
    **_columns("integer", {"workers": "case.workers"}),
    **_columns("truth", {"keep_alive": "case.keep_alive"}),
    **_columns("text", {"profile": "case.profile.name", "countries": "case.countries.label"}),
    **_columns(
        "integer",
        {
            "fetches": lambda row: row.case.countries.count,
            "blocks": "blocks",
            "failed_trials": lambda row: len(row.failed),
            "repeated_trials": lambda row: len(row.repeated),
        },
    ),
    **_columns(
        "number",
        {
            "median_elapsed_s": "figures.elapsed.estimate",
            "median_low_s": "figures.elapsed.low",
            "median_high_s": "figures.elapsed.high",
            "times_faster": "figures.times_faster.ratio.estimate",
            "times_faster_low": "figures.times_faster.ratio.low",
            "times_faster_high": "figures.times_faster.ratio.high",
            "efficiency": "figures.efficiency",
        },
    ),
    **_columns(
        "integer",
        {
            "max_in_flight": "figures.in_flight.high",
            "max_connections": "figures.connections.high",
            "min_verified": "figures.verified.low",
            "max_not_found": "figures.not_found.high",
            "max_errors": "figures.errors.high",
            **{f"max_{outcome}": partial(_most_ended, outcome=outcome) for outcome in _FAILURES},
        },
    ),
    **_columns("text", {"limit": "costs.limit"}),
    **_columns(
        "number",
        {
            "cold_start_s": "costs.cold_start_s",
            "imports_s": "costs.imports_s",
            **{each.name: f"costs.phases.{each.name}" for each in fields(Phases)},
            **{f"gap_{each.name}": f"costs.gap.{each.name}" for each in fields(Gap)},
            **{f"latency_{each.name}": f"costs.latency.{each.name}" for each in fields(LatencyPercentiles)},
            "cpu_share": "costs.cpu_share",
            **{name: f"costs.figures.{name}" for name in _PROBE_FIGURES},
            **{f"server_{each.name}": f"costs.server.{each.name}" for each in fields(ServerRound)},
            "server_busy": "costs.server_busy",
            "fetches_per_connection": "fairness.fetches_per_connection",
            "gc_collections_per_1000": "fairness.gc_collections",
            "blocks_grown_per_1000": "fairness.blocks_grown",
        },
    ),
    **_columns("text", {"libraries": _libraries, "event_loops": _event_loops}),
    **_columns("text", {"process": lambda row: describe_work(row.case.work)}),
    **_columns(
        "number",
        {
            "rate": lambda row: row.case.rate or None,
            "rate_reached": "open_loop.reached.estimate",
            "rate_reached_low": "open_loop.reached.low",
            "rate_reached_high": "open_loop.reached.high",
            "max_backlog": "open_loop.backlog",
            "waiting_at_end": "open_loop.waiting.estimate",
            "waiting_at_end_low": "open_loop.waiting.low",
            "waiting_at_end_high": "open_loop.waiting.high",
            "late_start_p99_s": "open_loop.late_start_p99_s",
            "due_p99_s": "open_loop.p99.estimate",
            "due_p99_low_s": "open_loop.p99.low",
            "due_p99_high_s": "open_loop.p99.high",
        },
    ),
    **_columns("text", {"saturation": "open_loop.saturation"}),
}


def case_figures(row: CaseSummary) -> dict[str, object]:
    """Return the figures of a case by the names of their columns.

    A figure that was not measured is None.
    """
    return {name: column.value(row) for name, column in _COLUMNS.items()}


def case_rows(run: Run) -> Iterator[CaseSummary]:
    """Yield the summary of each case, profile by profile, in the order of the config."""
    return (row for ranking in rankings(run) for row in ranking.rows)


CASES: Final = ExportTable(_COLUMNS, case_rows)
"""A row for each case."""
