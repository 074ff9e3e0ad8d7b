"""What a run says of itself beside its figures: when it began, and on which commit."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bench.errors import UnreadableResultError
from bench.model.results import Run
from bench.model.text import printable


def began(run: Run) -> datetime:
    """Return when a run began, with its time zone.

    Raises:
        UnreadableResultError: it says something else.
    """
    try:
        moment = datetime.fromisoformat(run.started)
    except ValueError as error:
        raise UnreadableResultError(f"run {run.name}: {run.started!r} is no time") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def commit_of(run: Run) -> str:
    """Return the commit on which a run began, printable; empty if it does not say."""
    match run.environment.get("git"):
        case {"commit": str(commit)}:
            return printable(commit)
    return ""


def is_modified(run: Run) -> bool | None:
    """Say whether there were changes that were not committed; ``None`` if the run does not say."""
    match run.environment.get("git"):
        case {"dirty": bool(dirty)}:
            return dirty
    return None


def environment_texts(run: Run) -> dict[str, str]:
    """Return what the times depend on, one printable line each; what is not known is left out."""
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
