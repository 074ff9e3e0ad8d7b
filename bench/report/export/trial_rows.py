"""List the trials of a run as one table for CSV, Parquet and data frames.

It has a row for each round, and one for each trial without rounds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Final, get_args

from bench.api.outcomes import FetchOutcome
from bench.model.cases import Case
from bench.model.latency_histogram import LatencyPercentiles, merge_histograms
from bench.model.results import Gap, Measurement, Phases, Round, Run, ServerRound
from bench.report.case_label import describe_work
from bench.report.export.columns import ExportColumn, ExportTable


@dataclass(frozen=True, slots=True)
class RoundRow:
    """One round of a trial.

    Attributes:
        number: 0 for the warm-up, from 1 for the timed rounds; None for a trial without rounds.
        round_: its figures, or None in the same case.
        latency: of all timed rounds of the trial.
    """

    run: str
    case: Case
    trial: Measurement
    number: int | None
    round_: Round | None
    latency: LatencyPercentiles | None


def round_rows(run: Run) -> Iterator[RoundRow]:
    """Yield the rounds of all trials in the order of the run, repeated trials included."""
    cases = {case.id: case for case in run.cases}
    for trial in run.trials:
        case, latency = cases[trial.case], merge_histograms([trial.latency])
        numbered = [(0, trial.warm_up), *enumerate(trial.rounds, 1)]
        rounds = [(number, round_) for number, round_ in numbered if round_ is not None]
        for number, round_ in rounds:
            yield RoundRow(run.name, case, trial, number, round_, latency)
        if not rounds:
            yield RoundRow(run.name, case, trial, None, None, latency)


def _ended(row: RoundRow, outcome: str) -> int | None:
    return None if row.round_ is None else row.round_.fetches.get(outcome, 0)


def _numbers(paths: Mapping[str, str]) -> dict[str, ExportColumn[RoundRow]]:
    return {name: ExportColumn("number", path) for name, path in paths.items()}


_ROUND_PROBES: Final = (
    "cpu_user_s",
    "cpu_system_s",
    "switches_voluntary",
    "switches_involuntary",
    "loop_lag_p50_s",
    "loop_lag_p99_s",
    "queue_wait_s",
    "gc_s",
)
_TRIAL_PROBES: Final = ("memory_bytes", "threads", "descriptors")

COLUMNS: Final[Mapping[str, ExportColumn[RoundRow]]] = {
    "run": ExportColumn("text", "run"),
    "case": ExportColumn("text", "case.id"),
    "strategy": ExportColumn("text", "case.strategy"),
    "client": ExportColumn("text", "case.client"),
    "workers": ExportColumn("integer", "case.workers"),
    "keep_alive": ExportColumn("truth", "case.keep_alive"),
    "profile": ExportColumn("text", "case.profile.name"),
    "countries": ExportColumn("text", "case.countries.label"),
    "asked": ExportColumn("integer", lambda row: row.case.countries.count),
    "variant": ExportColumn("text", "case.variant"),
    "block": ExportColumn("integer", "trial.block"),
    "position": ExportColumn("integer", "trial.position"),
    "attempt": ExportColumn("integer", "trial.attempt"),
    "outcome": ExportColumn("text", "trial.outcome"),
    "detail": ExportColumn("text", "trial.detail"),
    "round": ExportColumn("integer", "number"),
    "elapsed_s": ExportColumn("number", "round_.elapsed_s"),
    "ideal_s": ExportColumn("number", "round_.ideal_s"),
    "verified": ExportColumn("integer", "round_.verified"),
    **{
        f"fetches_{outcome}": ExportColumn("integer", partial(_ended, outcome=outcome))
        for outcome in get_args(FetchOutcome)
    },
    **_numbers({each.name: f"round_.phases.{each.name}" for each in fields(Phases)}),
    **_numbers({f"gap_{each.name}": f"round_.gap.{each.name}" for each in fields(Gap)}),
    **_numbers({name: f"round_.probes.{name}" for name in _ROUND_PROBES}),
    **{
        f"server_{each.name}": ExportColumn(
            "integer" if each.type is int else "number", f"round_.server.{each.name}"
        )
        for each in fields(ServerRound)
        if each.name != "faults"
    },
    "server_busy": ExportColumn("number", "round_.server_busy"),
    **_numbers({f"trial_{name}": f"trial.probes.{name}" for name in _TRIAL_PROBES}),
    "trial_took_s": ExportColumn("number", "trial.took_s"),
    "trial_cold_start_s": ExportColumn("number", "trial.cold_start_s"),
    "trial_imports_s": ExportColumn("number", "trial.imports_s"),
    **_numbers({f"trial_latency_{each.name}": f"latency.{each.name}" for each in fields(LatencyPercentiles)}),
    "calls": ExportColumn("integer", "round_.calls"),
    "planned_ideal_s": ExportColumn("number", "round_.planned_ideal_s"),
    **_numbers({name: f"round_.probes.{name}" for name in ("gc_collections", "blocks_grown")}),
    "process": ExportColumn("text", lambda row: describe_work(row.case.work)),
    "rate": ExportColumn("number", lambda row: row.case.rate or None),
    **_numbers(
        {
            "rate_reached": "round_.open_loop.reached",
            "backlog": "round_.open_loop.backlog",
            "final_backlog": "round_.open_loop.final_backlog",
            "late_start_p99_s": "round_.open_loop.late_start_p99_s",
        }
    ),
}
TRIALS: Final = ExportTable(COLUMNS, round_rows)
"""A row for each round."""
