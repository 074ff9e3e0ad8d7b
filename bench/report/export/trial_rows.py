"""The trials of a run as rows of one table: a row a round, and one for each trial that has none."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal, TypeAlias, get_args

from bench.api.outcomes import FetchOutcome
from bench.model.cases import Case
from bench.model.latency_histogram import Latency, merge_histograms
from bench.model.results import Gap, Measurement, Phases, Round, Run, ServerRound

Kind: TypeAlias = Literal["text", "integer", "number", "truth"]
Value: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Row:
    """One round of a trial.

    Attributes:
        number: 0 for the warm-up, from 1 for those that were timed; ``None`` where the trial has no round.
        round_: what it yielded, or ``None`` in the same case.
        latency: of all timed rounds of the trial.
    """

    run: str
    case: Case
    trial: Measurement
    number: int | None
    round_: Round | None
    latency: Latency | None


@dataclass(frozen=True, slots=True)
class Column:
    """What all rows say of one thing; ``None`` where it was not measured."""

    kind: Kind
    value: Callable[[Row], Value]


def rows_of(run: Run) -> Iterator[Row]:
    """Go through the trials in the order in which they were run, repeated ones included."""
    cases = {case.id: case for case in run.cases}
    for trial in run.trials:
        case, latency = cases[trial.case], merge_histograms([trial.latency])
        numbered = [(0, trial.warm_up), *enumerate(trial.rounds, 1)]
        rounds = [(number, round_) for number, round_ in numbered if round_ is not None]
        for number, round_ in rounds:
            yield Row(run.name, case, trial, number, round_, latency)
        if not rounds:
            yield Row(run.name, case, trial, None, None, latency)


def _seen(value: Callable[[Round], Value]) -> Callable[[Row], Value]:
    return lambda row: None if row.round_ is None else value(row.round_)


def _ended(outcome: str) -> Callable[[Row], Value]:
    return _seen(lambda round_: round_.fetches.get(outcome, 0))


def _probed(name: str) -> Callable[[Row], Value]:
    return _seen(lambda round_: round_.probes.get(name))


def _of_trial(name: str) -> Callable[[Row], Value]:
    return lambda row: row.trial.probes.get(name)


def _part(part: str, name: str) -> Callable[[Row], Value]:
    """Read a figure of something that a round may not have."""

    def value(round_: Round) -> Value:
        found: Value = getattr(getattr(round_, part), name, None)
        return found

    return _seen(value)


def _latency(name: str) -> Callable[[Row], Value]:
    def value(row: Row) -> Value:
        found: Value = getattr(row.latency, name, None)
        return found

    return value


def _numbers(values: Mapping[str, Callable[[Row], Value]]) -> dict[str, Column]:
    return {name: Column("number", value) for name, value in values.items()}


_WITNESSED: Final[Mapping[str, Kind]] = {
    each.name: "integer" if each.type is int else "number"
    for each in fields(ServerRound)
    if each.name != "faults"
}

COLUMNS: Final[Mapping[str, Column]] = {
    "run": Column("text", lambda row: row.run),
    "case": Column("text", lambda row: row.case.id),
    "strategy": Column("text", lambda row: row.case.strategy),
    "client": Column("text", lambda row: row.case.client),
    "workers": Column("integer", lambda row: row.case.workers),
    "keep_alive": Column("truth", lambda row: row.case.keep_alive),
    "profile": Column("text", lambda row: row.case.profile.name),
    "countries": Column("text", lambda row: row.case.countries.label),
    "asked": Column("integer", lambda row: len(row.case.countries.fetches)),
    "variant": Column("text", lambda row: row.case.variant),
    "block": Column("integer", lambda row: row.trial.block),
    "position": Column("integer", lambda row: row.trial.position),
    "attempt": Column("integer", lambda row: row.trial.attempt),
    "outcome": Column("text", lambda row: row.trial.outcome),
    "detail": Column("text", lambda row: row.trial.detail),
    "round": Column("integer", lambda row: row.number),
    "elapsed_s": Column("number", _seen(lambda round_: round_.elapsed_s)),
    "ideal_s": Column("number", _seen(lambda round_: round_.ideal_s)),
    "verified": Column("integer", _seen(lambda round_: round_.verified)),
    **{f"fetches_{outcome}": Column("integer", _ended(outcome)) for outcome in get_args(FetchOutcome)},
    **_numbers({each.name: _part("phases", each.name) for each in fields(Phases)}),
    **_numbers({f"gap_{each.name}": _part("gap", each.name) for each in fields(Gap)}),
    **_numbers(
        {
            name: _probed(name)
            for name in (
                "cpu_user_s",
                "cpu_system_s",
                "switches_voluntary",
                "switches_involuntary",
                "loop_lag_p50_s",
                "loop_lag_p99_s",
                "queue_wait_s",
                "gc_s",
            )
        }
    ),
    **{f"server_{name}": Column(kind, _part("server", name)) for name, kind in _WITNESSED.items()},
    "server_busy": Column("number", _seen(lambda round_: round_.server_busy)),
    **_numbers({f"trial_{name}": _of_trial(name) for name in ("memory_bytes", "threads", "descriptors")}),
    "trial_took_s": Column("number", lambda row: row.trial.took_s),
    "trial_cold_start_s": Column("number", lambda row: row.trial.cold_start_s),
    "trial_imports_s": Column("number", lambda row: row.trial.imports_s),
    **_numbers({f"trial_latency_{each.name}": _latency(each.name) for each in fields(Latency)}),
}
