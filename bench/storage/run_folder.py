"""Create, find and load the folder of a run, and save the results derived from its journal.

A folder holds ``journal.jsonl`` from the first trial on, and ``table.md`` and ``run.json`` once a run has
ended.
"""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from bench.errors import SetupError, UnreadableResultError, UsageError
from bench.model.results import Measurement, Run
from bench.storage.atomic_write import replace_file, sync_folder, write_remedy
from bench.storage.journal import read_journal
from bench.storage.lock import locked
from bench.storage.output_check import check_appended_file, check_output_folder
from bench.storage.run_json import run_from_bytes, run_to_json_text
from bench.system.program_name import program_name

RUNS: Final = Path("results/runs")
"""The folder of all runs, below the folder in which the command was given."""
DOCUMENT: Final = "run.json"
JOURNAL: Final = "journal.jsonl"
TABLE: Final = "table.md"
LOCK: Final = ".lock"
"""Holds the id of the process that uses the folder."""
ELSEWHERE: Final = "name another folder with --out"
"""How the user chooses the place of a new run."""


@dataclass(frozen=True, slots=True)
class Destination:
    """The place of a run, as the command line names it; by default a new folder in ``RUNS``.

    Attributes:
        out: folder of a new run.
        resume: the run to resume: its folder, its name or ``last``.
    """

    out: Path | None = None
    resume: Path | None = None

    @property
    def new_place(self) -> Path:
        """The folder of a new run, or that in which its folder will be made."""
        return self.out or RUNS


def check_destination(destination: Destination) -> None:
    """Check that the folder of a new run can be written, or that of the run to resume.

    Raises:
        UsageError: it is not empty, is no folder, or there is nothing to resume.
        LockedError: another process uses it.
        SetupError: it cannot be read or written.
    """
    if destination.resume is not None:
        with existing_folder(destination.resume) as folder:
            check_appended_file(folder / JOURNAL, "--resume")
    elif destination.out is not None:
        check_output_folder(destination.out, "--out")
        _check_unused(destination.out)
    else:
        check_output_folder(RUNS, "the run", elsewhere=ELSEWHERE)


@contextmanager
def new_folder(name: str, started: datetime, out: Path | None) -> Iterator[Path]:
    """Create and lock the folder of a new run, ``results/runs/<name>-<time>`` unless ``out`` is given.

    Raises:
        UsageError: ``out`` is not empty; a run never overwrites another.
        LockedError: another process uses it.
        SetupError: the folder cannot be created or written.
    """
    with ExitStack() as stack:
        try:
            folder = _create_unused(RUNS / f"{name}-{started:%Y%m%d-%H%M%S}") if out is None else _create(out)
            if not (folder / LOCK).exists():
                _require_empty(folder)
            stack.enter_context(locked(folder / LOCK))
            _require_empty(folder)
            sync_folder(folder.parent)
        except OSError as error:
            raise SetupError(
                f"cannot keep results in {out or RUNS}: {error.strerror}",
                hint=write_remedy(error, out or RUNS, ELSEWHERE),
            ) from error
        yield folder


@contextmanager
def existing_folder(run: Path) -> Iterator[Path]:
    """Find and lock the folder of an interrupted run, by its path, its name or ``last``.

    Raises:
        UsageError: there is no journal to resume.
        LockedError: another process uses it.
        SetupError: the folder cannot be written.
    """
    folder = journal_path(run).parent
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder / LOCK))
        except OSError as error:
            raise SetupError(
                f"cannot resume in {folder}: {error.strerror}", hint="make the folder writable"
            ) from error
        yield folder


def save_run(folder: Path, run: Run, table: str) -> None:
    """Write the table, and last the document: once it is there, everything is.

    Raises:
        SetupError: one of them cannot be written; it is as it was.
    """
    for name, text in ((TABLE, table), (DOCUMENT, run_to_json_text(run))):
        replace_file(folder / name, text)


def is_up_to_date(folder: Path, trials: Sequence[Measurement]) -> bool:
    """Say whether the document of a complete run is there, with these trials."""
    try:
        run = load_run(folder)
        return run.status == "complete" and run.trials == tuple(trials)
    except (UnreadableResultError, UsageError):
        return False


def load_run(run: Path) -> Run:
    """Load a run by its folder, its ``run.json``, its name below ``results/runs``, or ``last``.

    Raises:
        UsageError: there is no such run, or only its journal.
        UnreadableResultError: the run, or its journal, cannot be read.
    """
    path = document_path(run)
    try:
        return run_from_bytes(path.read_bytes())
    except UnreadableResultError as error:
        raise UnreadableResultError(f"{path}: {error.what}", hint=error.hint) from error
    except OSError as error:
        raise UnreadableResultError(f"{path}: {error.strerror}") from error


def stored_runs(runs: Path = RUNS) -> list[Path]:
    """Return the folders of all stored runs, oldest first."""
    return sorted(document.parent for document in runs.glob(f"*/{DOCUMENT}"))


def unfinished_runs(runs: Path = RUNS) -> list[Path]:
    """Return the folders with a journal only, of runs that were killed or still go on."""
    folders = (journal.parent for journal in runs.glob(f"*/{JOURNAL}"))
    return sorted(folder for folder in folders if not (folder / DOCUMENT).exists())


def document_path(run: Path) -> Path:
    """Return the document of a run, by its folder, the document itself, its name or ``last``.

    Raises:
        UsageError: there is no such run, or only its journal.
    """
    for candidate in (run / DOCUMENT, run, RUNS / run / DOCUMENT):
        if _is_file(candidate):
            return candidate
    if str(run) == "last" and (stored := stored_runs()):
        return _latest(folder / DOCUMENT for folder in stored)
    for candidate in (run, RUNS / run):
        if _is_file(candidate / JOURNAL):
            command = [*read_journal(candidate / JOURNAL).header.command, "--resume", str(candidate)]
            raise UsageError(
                f"{candidate} was interrupted before its results were written",
                hint=f"finish it with `{program_name()} {shlex.join(command)}`",
            )
    raise _no_run(run)


def journal_path(run: Path) -> Path:
    """Return the journal of a run, by its folder, its name or ``last``.

    Raises:
        UsageError: there is none to resume.
    """
    folder = run.parent if run.name in {DOCUMENT, JOURNAL} else run
    for candidate in (folder / JOURNAL, RUNS / folder / JOURNAL):
        if _is_file(candidate):
            return candidate
    if str(run) == "last" and (journals := list(RUNS.glob(f"*/{JOURNAL}"))):
        return _latest(journals)
    for candidate in (run, RUNS / run):
        if _is_file(candidate / DOCUMENT):
            raise UsageError(f"{candidate} has no journal, so it cannot be resumed", hint="start a new run")
    raise _no_run(run)


def _is_file(path: Path) -> bool:
    """Say whether there is such a file; a path that is too long, or may not be entered, leads to none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _latest(paths: Iterable[Path]) -> Path:
    return max(paths, key=lambda path: path.stat().st_mtime)


def _no_run(run: Path) -> UsageError:
    stored = ", ".join(folder.name for folder in stored_runs()[-3:]) or "none yet"
    return UsageError(f"there is no run {str(run)!r}", hint=f"stored runs: {stored}")


def _create(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _create_unused(folder: Path) -> Path:
    """Create a folder; if two runs start within one second, the later one gets a number."""
    candidate, number = folder, 1
    while True:
        try:
            candidate.mkdir(parents=True)
        except FileExistsError:
            number += 1
            candidate = folder.with_name(f"{folder.name}-{number}")
        else:
            return candidate


def _check_unused(folder: Path) -> None:
    """Refuse a folder that is not empty or in use; it need not exist."""
    try:
        if folder.is_dir():
            if (folder / LOCK).exists():
                with locked(folder / LOCK):
                    pass
            _require_empty(folder)
    except OSError as error:
        raise SetupError(f"{folder} cannot be read: {error.strerror}", hint=ELSEWHERE) from error


def _require_empty(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()} - {LOCK}
    if names:
        resume = f"resume its run with --resume {shlex.quote(str(folder))}, or " if JOURNAL in names else ""
        raise UsageError(f"{folder} is not empty", hint=f"{resume}name a new folder with --out")
