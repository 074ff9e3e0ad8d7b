"""Export a run as CSV: a line for each case, or for each round. Nothing is rounded."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import partial
from typing import Final, get_args

from bench.api.outcomes import FetchOutcome
from bench.model.latency_histogram import LatencyPercentiles
from bench.model.results import Gap, Phases, Run, ServerRound
from bench.model.text import printable
from bench.report.export.trial_rows import COLUMNS, round_rows
from bench.report.value_path import Source, read_value
from bench.stats.case_summary import CaseSummary
from bench.stats.ranking import rankings

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")
"""Signs that begin a formula in a spreadsheet; the last four are wide forms of the first four."""
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


_COLUMNS: Final[Mapping[str, Source[CaseSummary]]] = {
    "case": "case.id",
    "strategy": "case.strategy",
    "client": "case.client",
    "workers": "case.workers",
    "keep_alive": "case.keep_alive",
    "profile": "case.profile.name",
    "countries": "case.countries.label",
    "fetches": lambda row: len(row.case.countries.fetches),
    "blocks": "blocks",
    "failed_trials": lambda row: len(row.failed),
    "repeated_trials": lambda row: len(row.repeated),
    "median_elapsed_s": "figures.elapsed.estimate",
    "median_low_s": "figures.elapsed.low",
    "median_high_s": "figures.elapsed.high",
    "times_faster": "figures.times_faster.ratio.estimate",
    "times_faster_low": "figures.times_faster.ratio.low",
    "times_faster_high": "figures.times_faster.ratio.high",
    "efficiency": "figures.efficiency",
    "max_in_flight": "figures.in_flight.high",
    "max_connections": "figures.connections.high",
    "min_verified": "figures.verified.low",
    "max_not_found": "figures.not_found.high",
    "max_errors": "figures.errors.high",
    **{f"max_{outcome}": partial(_most_ended, outcome=outcome) for outcome in _FAILURES},
    "limit": "costs.limit",
    "cold_start_s": "costs.cold_start_s",
    "imports_s": "costs.imports_s",
    **{each.name: f"costs.phases.{each.name}" for each in fields(Phases)},
    **{f"gap_{each.name}": f"costs.gap.{each.name}" for each in fields(Gap)},
    **{f"latency_{each.name}": f"costs.latency.{each.name}" for each in fields(LatencyPercentiles)},
    "cpu_share": "costs.cpu_share",
    **{name: f"costs.figures.{name}" for name in _PROBE_FIGURES},
    **{f"server_{each.name}": f"costs.server.{each.name}" for each in fields(ServerRound)},
    "server_busy": "costs.server_busy",
}


def to_csv(run: Run) -> str:
    """Write one line per case; times in seconds, shares as fractions."""
    rows = (case_figures(row).values() for ranking in rankings(run) for row in ranking.rows)
    return csv_text(_COLUMNS, rows)


def to_trials_csv(run: Run) -> str:
    """Write one line a round; times in seconds."""
    return csv_text(COLUMNS, ([column.value(row) for column in COLUMNS.values()] for row in round_rows(run)))


def case_figures(row: CaseSummary) -> dict[str, object]:
    """Return the figures of a case by the names of their columns.

    A figure that was not measured is None.
    """
    return {name: read_value(row, source) for name, source in _COLUMNS.items()}


def csv_text(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Write CSV that is safe to open in a spreadsheet; a cell with None is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in (header, *rows):
        writer.writerow([escape_formula(value) for value in row])
    return text.getvalue()


def escape_formula(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula, and a terminal from obeying it."""
    if not isinstance(value, str):
        return value
    return f"'{printable(value)}" if value.startswith(_FORMULA_STARTS) else printable(value)
