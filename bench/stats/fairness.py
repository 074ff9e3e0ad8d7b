"""Summarize under which conditions a case was measured. Called by `case_summary`, and stored in run.json.

They are settings, interpreter and libraries, connections, and the work of the garbage collector. All timed
rounds of successful trials count, and never the warm-up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, Literal

from bench.model.cases import Case
from bench.model.json_codec import to_json_value
from bench.model.results import Measurement, Round, Run
from bench.model.worker_runtime import ImportedLibrary

_PER: Final = 1000


@dataclass(frozen=True, slots=True)
class ClientTerms:
    """The settings that the client of a case was opened with; a library may have no limit of its own.

    Attributes:
        connection_limit: connections that may be open at once, if the library limits them.
    """

    keep_alive: bool
    http: Literal["1.1", "2"]
    tls: bool
    connection_limit: int


@dataclass(frozen=True, slots=True)
class Fairness:
    """The conditions of a case; ``None`` is a value that is not known.

    Attributes:
        settings: ``None`` for a strategy with an HTTP library of its own, which has none of our settings.
        python: every implementation and version that a worker had; one, unless it changed between trials.
        has_gil: whether any worker had a global interpreter lock.
        event_loops: classes of the event loops in which clients were opened.
        libraries: modules beyond the standard library that client and strategy imported.
        connections_opened: connections with a request that had carried none in an earlier round of their
            trial, by the server log: the median over rounds.
        fetches_per_connection: requests of a round ÷ its connections, by the server log: the median over
            rounds.
        gc_collections: garbage collections per 1,000 fetches.
        blocks_grown: memory blocks per 1,000 fetches that a round leaves allocated when it returns.
    """

    settings: ClientTerms | None
    python: tuple[str, ...]
    has_gil: bool | None
    event_loops: tuple[str, ...]
    libraries: tuple[ImportedLibrary, ...]
    connections_opened: float | None
    fetches_per_connection: float | None
    gc_collections: float | None
    blocks_grown: float | None


def summarize_fairness(case: Case, trials: Sequence[Measurement]) -> Fairness:
    """Summarize the conditions of the successful trials of a case."""
    runtimes = [trial.runtime for trial in trials if trial.runtime is not None]
    uses = [trial.job_use for trial in trials if trial.job_use is not None]
    rounds = [round_ for trial in trials for round_ in trial.rounds]
    seen = [(round_, round_.server) for round_ in rounds if round_.server is not None]
    return Fairness(
        settings=_client_terms(case),
        python=_distinct(runtime.python for runtime in runtimes),
        has_gil=any(runtime.has_gil for runtime in runtimes) if runtimes else None,
        event_loops=_distinct(loop for use in uses for loop in use.event_loops),
        libraries=tuple(dict.fromkeys(each for runtime in runtimes for each in runtime.libraries)),
        connections_opened=_median(server.opened / round_.calls for round_, server in seen),
        fetches_per_connection=_median(
            server.requests / server.connections for _, server in seen if server.connections
        ),
        gc_collections=_per_thousand(rounds, "gc_collections"),
        blocks_grown=_per_thousand(rounds, "blocks_grown"),
    )


def fairness_records(run: Run) -> list[dict[str, Any]]:
    """Return the conditions of each case of a run, ready for JSON; the settings include those of the run."""
    of_run = {name: run.config.get(name) for name in ("request_timeout_s", "largest_bytes")}
    good: dict[str, list[Measurement]] = {}
    for trial in run.trials:
        if trial.outcome == "ok" and trial.rounds:
            good.setdefault(trial.case, []).append(trial)
    records = []
    for case in run.cases:
        record = to_json_value(summarize_fairness(case, good.get(case.id, [])))
        settings = None if record["settings"] is None else {**record["settings"], **of_run}
        records.append({"case": case.id, **record, "settings": settings})
    return records


def _per_thousand(rounds: Sequence[Round], figure: str) -> float | None:
    """Return a figure of a probe per 1,000 fetches of the rounds that have it; None if none has."""
    known = [round_ for round_ in rounds if figure in round_.probes]
    fetches = sum(sum(round_.fetches.values()) for round_ in known)
    if not fetches:
        return None
    return _PER * sum(round_.probes[figure] * round_.calls for round_ in known) / fetches


def _client_terms(case: Case) -> ClientTerms | None:
    if not case.has_settings:
        return None
    profile = case.profile
    return ClientTerms(
        case.keep_alive, "2" if profile.http2 else "1.1", profile.tls, case.connections or case.workers
    )


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _median(values: Iterable[float]) -> float | None:
    known = list(values)
    return median(known) if known else None
