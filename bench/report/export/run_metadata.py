"""Read the start, the commit and the machine of a run, for exports."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from bench.errors import UnreadableResultError
from bench.model.results import Run
from bench.model.text import printable


def start_of(run: Run) -> datetime:
    """Return when a run began, with its time zone.

    Raises:
        UnreadableResultError: the run says no time.
    """
    try:
        moment = datetime.fromisoformat(run.started)
    except ValueError as error:
        raise UnreadableResultError(f"run {run.name}: {run.started!r} is no time") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def commit_of(run: Run) -> str:
    """Return the commit of a run, printable; empty if it does not say."""
    match run.environment.get("git"):
        case {"commit": str(commit)}:
            return printable(commit)
    return ""


def with_commit(run: Run, commit: str) -> Run:
    """Return a run that says it began on this commit."""
    return replace(run, environment={**run.environment, "git": {"commit": commit}})


def is_modified(run: Run) -> bool | None:
    """Tell whether there were uncommitted changes; None if the run does not say."""
    match run.environment.get("git"):
        case {"dirty": bool(dirty)}:
            return dirty
    return None


def environment_texts(run: Run) -> dict[str, str]:
    """Return the interpreter, the system and the machine as printable lines, without those not known."""
    texts = {
        "python_implementation": _inner(run, "python", "implementation"),
        "python_version": _inner(run, "python", "version"),
        "system": _inner(run, "system", "name"),
        "release": _inner(run, "system", "release"),
        "machine": _inner(run, "system", "machine"),
        "cpu_model_name": _inner(run, "processor", "model"),
        "fingerprint": _text(run.environment.get("fingerprint")),
        "flagbench": _text(run.environment.get("flagbench")),
    }
    return {name: text for name, text in texts.items() if text}


def _inner(run: Run, part: str, key: str) -> str:
    inner = run.environment.get(part)
    return _text(inner.get(key)) if isinstance(inner, Mapping) else ""


def _text(value: object) -> str:
    return printable(value).strip() if isinstance(value, str) else ""
