"""``run.json``: a run as JSON and back. The only place that knows the keys; docs/results.md lists them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, cast, get_args

from bench.errors import UnreadableResultError
from bench.model import (
    Case,
    Fixed,
    Latency,
    LogNormal,
    Measurement,
    Outcome,
    Profile,
    Round,
    Run,
    Selection,
    Uniform,
    Witness,
)

SCHEMA: Final = 1
"""Version of the document; a reader refuses any other."""

_LATENCIES: Final[Mapping[str, type[Latency]]] = {"fixed": Fixed, "uniform": Uniform, "lognormal": LogNormal}
_OUTCOMES: Final = frozenset(get_args(Outcome))


def run_to_json(run: Run) -> dict[str, Any]:
    """Return the document of a run, ready for ``json.dumps``."""
    return {
        "schema": SCHEMA,
        "name": run.name,
        "status": run.status,
        "started": run.started,
        "config": run.config,
        "environment": run.environment,
        "cases": [_case_to_json(case) for case in run.cases],
        "trials": [measurement_to_json(trial) for trial in run.trials],
    }


def run_from_json(document: Any) -> Run:
    """Rebuild a run; raise ``UnreadableResultError`` naming what is missing or of the wrong kind."""
    try:
        if document["schema"] != SCHEMA:
            raise UnreadableResultError(
                f"the results have schema {document['schema']!r}, this flagbench reads {SCHEMA}",
                hint="read them with the flagbench that wrote them",
            )
        if document["status"] not in {"complete", "partial"}:
            raise ValueError(f"status {document['status']!r}")
        return Run(
            name=str(document["name"]),
            status=document["status"],
            started=str(document["started"]),
            config=dict(document["config"]),
            environment=dict(document["environment"]),
            cases=tuple(_case_from_json(case) for case in document["cases"]),
            trials=tuple(measurement_from_json(trial) for trial in document["trials"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableResultError(f"no run: {type(error).__name__} {error}") from error


def measurement_to_json(measurement: Measurement) -> dict[str, Any]:
    """Return the document of one trial."""
    return asdict(measurement)


def measurement_from_json(document: Mapping[str, Any]) -> Measurement:
    """Rebuild a trial; raises KeyError, TypeError or ValueError where the document is not one."""
    outcome = document["outcome"]
    if outcome not in _OUTCOMES:
        raise ValueError(f"outcome {outcome!r}")
    cold_start_s = document["cold_start_s"]
    warm_up = document["warm_up"]
    return Measurement(
        case=str(document["case"]),
        block=int(document["block"]),
        position=int(document["position"]),
        outcome=cast("Outcome", outcome),
        detail=str(document["detail"]),
        cold_start_s=None if cold_start_s is None else float(cold_start_s),
        warm_up=None if warm_up is None else _round_from_json(warm_up),
        rounds=tuple(_round_from_json(round_) for round_ in document["rounds"]),
    )


def _round_from_json(document: Mapping[str, Any]) -> Round:
    server = document["server"]
    return Round(
        elapsed_s=float(document["elapsed_s"]),
        ideal_s=float(document["ideal_s"]),
        fetches={str(outcome): int(count) for outcome, count in document["fetches"].items()},
        verified=int(document["verified"]),
        server=None if server is None else Witness(**server),
    )


def _case_to_json(case: Case) -> dict[str, Any]:
    return {"id": case.id, **asdict(case), "profile": _profile_to_json(case.profile)}


def _case_from_json(document: Mapping[str, Any]) -> Case:
    countries = document["countries"]
    return Case(
        strategy=str(document["strategy"]),
        client=str(document["client"]),
        workers=int(document["workers"]),
        profile=_profile_from_json(document["profile"]),
        countries=Selection(countries["label"], tuple(countries["codes"]), int(countries["repeat"])),
        keep_alive=bool(document["keep_alive"]),
    )


def _profile_to_json(profile: Profile) -> dict[str, Any]:
    kind = next(name for name, latency in _LATENCIES.items() if isinstance(profile.latency, latency))
    return {**asdict(profile), "latency": {kind: asdict(profile.latency)}}


def _profile_from_json(document: Mapping[str, Any]) -> Profile:
    ((kind, figures),) = document["latency"].items()
    return Profile(**{**document, "latency": _LATENCIES[kind](**figures)})
