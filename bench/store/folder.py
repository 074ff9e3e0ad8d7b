"""The folder of a run: ``journal.jsonl`` while it goes on, ``run.json`` and ``table.md`` derived from it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Final

from bench.errors import EnvironmentFault, UnreadableResultError, UsageError
from bench.measurement import Run
from bench.store.document import run_from_json, run_to_json
from bench.store.files import replace, sync_folder
from bench.wire import MalformedError, parse

RUNS: Final = Path("results/runs")
"""Where runs are kept, below the folder in which the command was given."""
DOCUMENT: Final = "run.json"
JOURNAL: Final = "journal.jsonl"
TABLE: Final = "table.md"


def new_folder(name: str, started: datetime, out: Path | None) -> Path:
    """Make the folder of a new run, ``results/runs/<name>-<time>`` unless ``out`` names it.

    Raises:
        UsageError: ``out`` holds something already; a run never overwrites another.
        EnvironmentFault: the folder cannot be made or written.
    """
    folder = out or _unused(RUNS / f"{name}-{started:%Y%m%d-%H%M%S}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty", hint="name a new folder with --out")
        sync_folder(folder.parent)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot keep results in {folder}: {error.strerror}", hint="name another folder with --out"
        ) from error
    return folder


def save(folder: Path, run: Run, table: str) -> None:
    """Write what is derived from the journal: the document and its table."""
    replace(folder / DOCUMENT, json.dumps(run_to_json(run), indent=1) + "\n")
    replace(folder / TABLE, table)


def load(run: Path) -> Run:
    """Read a stored run by its folder, its ``run.json``, or its name below ``results/runs``.

    Raises:
        UsageError: there is no such run.
        UnreadableResultError: there is one, and it cannot be read.
    """
    path = _find(run)
    try:
        return run_from_json(parse(path.read_bytes()))
    except (UnreadableResultError, MalformedError) as error:
        raise UnreadableResultError(f"{path}: {error.what}", hint=error.hint) from error
    except OSError as error:
        raise UnreadableResultError(f"{path}: {error.strerror}") from error


def stored_runs() -> list[Path]:
    """Return the folders of the runs kept here, oldest first."""
    return sorted(document.parent for document in RUNS.glob(f"*/{DOCUMENT}"))


def _find(run: Path) -> Path:
    for candidate in (run / DOCUMENT, run, RUNS / run / DOCUMENT):
        if candidate.is_file():
            return candidate
    if str(run) == "last" and (stored := stored_runs()):
        return max((folder / DOCUMENT for folder in stored), key=lambda path: path.stat().st_mtime)
    for candidate in (run, RUNS / run):
        if (candidate / JOURNAL).is_file():
            raise UsageError(
                f"{candidate} holds only a journal: its run was left at once",
                hint=f"see {candidate / JOURNAL}",
            )
    kept = ", ".join(folder.name for folder in stored_runs()[-3:]) or "none yet"
    raise UsageError(f"there is no run {str(run)!r}", hint=f"kept here: {kept}")


def _unused(folder: Path) -> Path:
    """Two runs may start within one second; the later one gets a number."""
    candidate, number = folder, 1
    while candidate.exists():
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number}")
    return candidate
