"""The folder of a run: ``journal.jsonl`` while it goes on, ``run.json`` and ``table.md`` derived from it."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from bench.errors import SetupError, UnreadableResultError, UsageError
from bench.model.results import Measurement, Run
from bench.storage.atomic_write import sync_folder, write_atomically, write_error
from bench.storage.journal import read_journal
from bench.storage.lock import locked
from bench.storage.run_json import run_from_bytes, run_to_json_text

RUNS: Final = Path("results/runs")
"""Where runs are kept, below the folder in which the command was given."""
DOCUMENT: Final = "run.json"
JOURNAL: Final = "journal.jsonl"
TABLE: Final = "table.md"
LOCK: Final = ".lock"
"""Names the process that is at work in the folder."""


@contextmanager
def new_folder(name: str, started: datetime, out: Path | None) -> Iterator[Path]:
    """Make the folder of a new run, ``results/runs/<name>-<time>`` unless ``out`` names it, and hold it.

    Raises:
        UsageError: ``out`` holds something already; a run never overwrites another.
        LockedError: another run is at work there.
        EnvironmentFault: the folder cannot be made or written.
    """
    with ExitStack() as stack:
        try:
            folder = _unused(RUNS / f"{name}-{started:%Y%m%d-%H%M%S}") if out is None else _made(out)
            if not (folder / LOCK).exists():
                _refuse_content(folder)
            stack.enter_context(locked(folder / LOCK))
            _refuse_content(folder)
            sync_folder(folder.parent)
        except OSError as error:
            raise SetupError(
                f"cannot keep results in {out or RUNS}: {error.strerror}",
                hint="it takes a folder that can be written; name one with --out",
            ) from error
        yield folder


@contextmanager
def existing_folder(run: Path) -> Iterator[Path]:
    """Find the folder of a run that was left, by its path, its name or ``last``, and hold it.

    Raises:
        UsageError: there is no journal to go on with.
        LockedError: another process is at work there.
        EnvironmentFault: the folder cannot be written.
    """
    folder = journal_path(run).parent
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder / LOCK))
        except OSError as error:
            raise SetupError(
                f"cannot go on in {folder}: {error.strerror}", hint="it takes a folder that can be written"
            ) from error
        yield folder


def save_run(folder: Path, run: Run, table: str) -> None:
    """Write what is derived from the journal: the table, and at last the document, which says that it is all.

    Raises:
        EnvironmentFault: one of them cannot be written; it is as it was.
    """
    for name, text in ((TABLE, table), (DOCUMENT, run_to_json_text(run))):
        try:
            write_atomically(folder / name, text)
        except OSError as error:
            raise write_error(folder / name, error, len(text.encode())) from error


def is_up_to_date(folder: Path, trials: Sequence[Measurement]) -> bool:
    """Say whether all that is derived from the trials of a complete run is there."""
    try:
        run = load_run(folder)
        return run.status == "complete" and run.trials == tuple(trials)
    except (UnreadableResultError, UsageError):
        return False


def load_run(run: Path) -> Run:
    """Read a stored run by its folder, its ``run.json``, or its name below ``results/runs``.

    Raises:
        UsageError: there is no such run.
        UnreadableResultError: there is one, or its journal, and it cannot be read.
    """
    path = _find(run)
    try:
        return run_from_bytes(path.read_bytes())
    except UnreadableResultError as error:
        raise UnreadableResultError(f"{path}: {error.what}", hint=error.hint) from error
    except OSError as error:
        raise UnreadableResultError(f"{path}: {error.strerror}") from error


def stored_runs() -> list[Path]:
    """Return the folders of the runs kept here, oldest first."""
    return sorted(document.parent for document in RUNS.glob(f"*/{DOCUMENT}"))


def unfinished_runs() -> list[Path]:
    """Return the folders of runs of which there is only a journal: left at once, or still going on."""
    folders = (journal.parent for journal in RUNS.glob(f"*/{JOURNAL}"))
    return sorted(folder for folder in folders if not (folder / DOCUMENT).exists())


def _find(run: Path) -> Path:
    for candidate in (run / DOCUMENT, run, RUNS / run / DOCUMENT):
        if _is_file(candidate):
            return candidate
    if str(run) == "last" and (stored := stored_runs()):
        return _latest(folder / DOCUMENT for folder in stored)
    for candidate in (run, RUNS / run):
        if _is_file(candidate / JOURNAL):
            command = shlex.join(
                [*read_journal(candidate / JOURNAL).beginning.command, "--resume", str(candidate)]
            )
            raise UsageError(
                f"{candidate} holds only a journal: its run was left at once",
                hint=f"finish it with `flagbench {command}`",
            )
    raise _no_run(run)


def journal_path(run: Path) -> Path:
    """Return the journal of a run, by its folder, its name or ``last``.

    Raises:
        UsageError: there is none to go on with.
    """
    folder = run.parent if run.name in {DOCUMENT, JOURNAL} else run
    for candidate in (folder / JOURNAL, RUNS / folder / JOURNAL):
        if _is_file(candidate):
            return candidate
    if str(run) == "last" and (journals := list(RUNS.glob(f"*/{JOURNAL}"))):
        return _latest(journals)
    for candidate in (run, RUNS / run):
        if _is_file(candidate / DOCUMENT):
            raise UsageError(f"{candidate} holds no journal", hint="without it no run can go on")
    raise _no_run(run)


def _is_file(path: Path) -> bool:
    """Tell whether there is such a file; a path that is too long, or may not be gone, leads to none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _latest(paths: Iterable[Path]) -> Path:
    return max(paths, key=lambda path: path.stat().st_mtime)


def _no_run(run: Path) -> UsageError:
    kept = ", ".join(folder.name for folder in stored_runs()[-3:]) or "none yet"
    return UsageError(f"there is no run {str(run)!r}", hint=f"kept here: {kept}")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _unused(folder: Path) -> Path:
    """Make a folder; two runs may start within one second, and the later one gets a number."""
    candidate, number = folder, 1
    while True:
        try:
            candidate.mkdir(parents=True)
        except FileExistsError:
            number += 1
            candidate = folder.with_name(f"{folder.name}-{number}")
        else:
            return candidate


def check_unused(folder: Path) -> None:
    """Refuse a folder that holds something already; one that is not there is fine.

    Raises:
        UsageError: it does.
    """
    if folder.is_dir():
        _refuse_content(folder)


def _refuse_content(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()} - {LOCK}
    if names:
        resume = f"go on with its run by --resume {shlex.quote(str(folder))}, or " if JOURNAL in names else ""
        raise UsageError(f"{folder} is not empty", hint=f"{resume}name a new folder with --out")
