"""List the trials of a run as one table for CSV and Parquet.

It has a row for each round, and one for each trial without rounds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Final, Literal, TypeAlias, get_args

from bench.api.outcomes import FetchOutcome
from bench.model.cases import Case
from bench.model.latency_histogram import LatencyPercentiles, merge_histograms
from bench.model.results import Gap, Measurement, Phases, Round, Run, ServerRound
from bench.report.value_path import Source, read_value

Kind: TypeAlias = Literal["text", "integer", "number", "truth"]
Value: TypeAlias = str | int | float | bool | None


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


@dataclass(frozen=True, slots=True)
class TrialColumn:
    """A column: the type of its values, and where they come from."""

    kind: Kind
    source: Source[RoundRow]

    def value(self, row: RoundRow) -> Value:
        """Return the value of a row; None if it was not measured."""
        found: Value = read_value(row, self.source)
        return found


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


def _numbers(paths: Mapping[str, str]) -> dict[str, TrialColumn]:
    return {name: TrialColumn("number", path) for name, path in paths.items()}


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

COLUMNS: Final[Mapping[str, TrialColumn]] = {
    "run": TrialColumn("text", "run"),
    "case": TrialColumn("text", "case.id"),
    "strategy": TrialColumn("text", "case.strategy"),
    "client": TrialColumn("text", "case.client"),
    "workers": TrialColumn("integer", "case.workers"),
    "keep_alive": TrialColumn("truth", "case.keep_alive"),
    "profile": TrialColumn("text", "case.profile.name"),
    "countries": TrialColumn("text", "case.countries.label"),
    "asked": TrialColumn("integer", lambda row: len(row.case.countries.fetches)),
    "variant": TrialColumn("text", "case.variant"),
    "block": TrialColumn("integer", "trial.block"),
    "position": TrialColumn("integer", "trial.position"),
    "attempt": TrialColumn("integer", "trial.attempt"),
    "outcome": TrialColumn("text", "trial.outcome"),
    "detail": TrialColumn("text", "trial.detail"),
    "round": TrialColumn("integer", "number"),
    "elapsed_s": TrialColumn("number", "round_.elapsed_s"),
    "ideal_s": TrialColumn("number", "round_.ideal_s"),
    "verified": TrialColumn("integer", "round_.verified"),
    **{
        f"fetches_{outcome}": TrialColumn("integer", partial(_ended, outcome=outcome))
        for outcome in get_args(FetchOutcome)
    },
    **_numbers({each.name: f"round_.phases.{each.name}" for each in fields(Phases)}),
    **_numbers({f"gap_{each.name}": f"round_.gap.{each.name}" for each in fields(Gap)}),
    **_numbers({name: f"round_.probes.{name}" for name in _ROUND_PROBES}),
    **{
        f"server_{each.name}": TrialColumn(
            "integer" if each.type is int else "number", f"round_.server.{each.name}"
        )
        for each in fields(ServerRound)
        if each.name != "faults"
    },
    "server_busy": TrialColumn("number", "round_.server_busy"),
    **_numbers({f"trial_{name}": f"trial.probes.{name}" for name in _TRIAL_PROBES}),
    "trial_took_s": TrialColumn("number", "trial.took_s"),
    "trial_cold_start_s": TrialColumn("number", "trial.cold_start_s"),
    "trial_imports_s": TrialColumn("number", "trial.imports_s"),
    **_numbers({f"trial_latency_{each.name}": f"latency.{each.name}" for each in fields(LatencyPercentiles)}),
    "calls": TrialColumn("integer", "round_.calls"),
    "planned_ideal_s": TrialColumn("number", "round_.planned_ideal_s"),
}
