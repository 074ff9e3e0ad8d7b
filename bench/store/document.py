"""``run.json``: a run as JSON and back. docs/results.md lists its keys."""

from typing import Any, Final

from bench.errors import UnreadableResultError
from bench.histogram import is_histogram
from bench.measurement import Run
from bench.wire import MalformedError, fit, plain

SCHEMA: Final = 3
"""Version of the document; a reader refuses any other."""


def run_to_json(run: Run) -> dict[str, Any]:
    """Return the document of a run, ready for ``json.dumps``."""
    document: dict[str, Any] = {"schema": SCHEMA, **plain(run)}
    document["cases"] = [{"id": case.id, **plain(case)} for case in run.cases]
    return document


def run_from_json(document: Any) -> Run:
    """Rebuild a run.

    Raises:
        UnreadableResultError: it is of another schema, or not what was written; the message says where.
    """
    if not isinstance(document, dict):
        raise UnreadableResultError("no run: not a JSON object")
    schema = document.get("schema")
    if schema != SCHEMA:
        raise UnreadableResultError(
            f"the results have schema {schema!r}, this flagbench reads {SCHEMA}",
            hint="read them with the flagbench that wrote them",
        )
    derived = {"schema"}
    cases = document.get("cases")
    if isinstance(cases, list):
        document = {**document, "cases": [_without(case, {"id"}) for case in cases]}
    try:
        run: Run = fit(Run, _without(document, derived), "run")
    except MalformedError as error:
        raise UnreadableResultError(f"no run: {error.what}") from error
    if damage := _inconsistency(run):
        raise UnreadableResultError(f"no run: {damage}")
    return run


def _inconsistency(run: Run) -> str:
    """Say what does not hang together; nothing if all does."""
    known = {case.id for case in run.cases}
    if not known:
        return "it has no cases"
    if not isinstance(run.config.get("name"), str):
        return "its config has no name"
    if not all(is_histogram(trial.latency) for trial in run.trials):
        return "the latency of a trial is no histogram"
    stranger = next((trial.case for trial in run.trials if trial.case not in known), None)
    return "" if stranger is None else f"a trial is of {stranger!r}, which is none of its cases"


def _without(document: Any, derived: set[str]) -> Any:
    """Leave out what is stored for readers' convenience and follows from the rest."""
    if not isinstance(document, dict):
        return document
    return {key: value for key, value in document.items() if key not in derived}
