"""From an experiment to a stored run: what every command that measures does alike."""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from bench.app.output import stderr_console
from bench.app.preflight import check_resources, resource_warnings
from bench.errors import BenchError, UsageError
from bench.model.cases import Experiment
from bench.model.results import Measurement, Resumption, Run, RunHeader
from bench.report.progress import LiveProgress, PlainProgress, live_line
from bench.report.progress_state import ProgressState
from bench.report.time_estimate import actual_duration_line, expected_duration_lines
from bench.runner.block_loop import run_blocks
from bench.runner.processes.signals import Interrupted, handle_interrupts
from bench.runner.run_document import check_resumable, config_record, run_document
from bench.runner.schedule import run_progress
from bench.runner.time_estimate import forecast_run
from bench.stats.observer import Observer
from bench.stats.retries import final_attempts
from bench.storage.journal import Journal, continued_journal, new_journal, read_journal
from bench.storage.run_folder import JOURNAL, existing_folder, is_up_to_date, journal_path, new_folder
from bench.system.cpu_affinity import plan_pinning
from bench.system.environment import describe_environment
from bench.system.limits import Limits
from bench.system.machine import read_machine
from bench.system.noise_advice import noise_warnings

_FAILED_TRIALS = 3


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line says of a run beside its experiment.

    Attributes:
        command: the name of the command.
        config: its config, as it was given.
        sides: what stands before it, as it was given.
        options: those that change what the config says.
        out: folder of a new run, if one is named.
        resume: the run to go on with, if there is one.
    """

    command: str
    config: str
    options: tuple[str, ...]
    out: Path | None
    resume: Path | None
    quiet: bool
    sides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that is being carried out.

    Attributes:
        kept: what it yielded before it was left.
    """

    folder: Path
    journal: Journal
    kept: tuple[Measurement, ...]


def execute_run(
    experiment: Experiment,
    present: Callable[[Run, Path], int],
    order: RunOptions,
    measure: Callable[[OpenRun], None] | None = None,
) -> int:
    """Run an experiment, or what is left of it, and return the exit code.

    What was measured is handed to ``present``, with the folder in which to keep what is derived of it,
    whatever ends the run; it returns the exit code that what was measured calls for. ``measure`` runs the
    trials that are due, unless the usual block loop is to do so.
    """
    code = 0
    past = None if order.resume is None else journal_path(order.resume)
    limits = check_resources(
        experiment,
        order.out if past is None else past.parent,
        0 if past is None else _counted(read_journal(past).trials),
    )
    fault: Exception | None = None
    with handle_interrupts() as signals, _opened(experiment, order) as ongoing:
        folder = ongoing.folder
        resume = f"resume with `{_resume_words(order, folder)}`"
        signals.exit_message = f"left at once; the finished trials are in {folder / JOURNAL}; {resume}"
        try:
            with suppress(Interrupted):
                if measure is None:
                    _run_blocks(experiment, ongoing, limits, quiet=order.quiet)
                else:
                    measure(ongoing)
                signals.hold()
        except Exception as error:  # noqa: BLE001  raised again once what was measured is safe
            fault = error
        signals.hold()
        document = run_document(experiment, read_journal(folder / JOURNAL), name=folder.name)
        try:
            code = present(document, folder)
        except BenchError as error:  # what came first is what the user should know of
            fault = fault or error
        _tell_where(document, folder, planned=_planned(experiment), resume=resume)
    if fault is not None:
        raise fault
    return code if signals.exit_code is None else signals.exit_code


def exit_code_of(document: Run) -> int:
    """Return the exit code of a run that only its trials can fail."""
    return _FAILED_TRIALS if any(trial.outcome != "ok" for trial in final_attempts(document.trials)) else 0


@contextmanager
def _opened(experiment: Experiment, order: RunOptions) -> Iterator[OpenRun]:
    """Begin a run in a folder of its own, or go on with one that was left."""
    environment = describe_environment({case.client for case in experiment.cases}, plan_pinning(experiment))
    now = datetime.now(UTC)
    command = (order.command, *order.sides, "CONFIG", *order.options)
    beginning = RunHeader(now.isoformat(timespec="seconds"), config_record(experiment), environment, command)
    if order.resume is not None:
        with _resumed(experiment, order.resume, beginning) as ongoing:
            yield ongoing
        return
    with (
        new_folder(experiment.name, now, order.out) as folder,
        new_journal(folder / JOURNAL, beginning) as journal,
    ):
        yield OpenRun(folder, journal, ())


@contextmanager
def _resumed(experiment: Experiment, run: Path, now: RunHeader) -> Iterator[OpenRun]:
    """Open a run that was left, if it can go on and is not at its end."""
    with existing_folder(run) as folder:
        past = read_journal(folder / JOURNAL)
        check_resumable(past.beginning, now)
        progress = run_progress(experiment, past.trials)
        if not progress.is_due and is_up_to_date(folder, progress.trials):
            raise UsageError(
                f"{folder} is complete: there is nothing to resume",
                hint=f"see it with `{_program()} show {shlex.quote(str(folder))}`",
            )
        if past.torn:
            said = f"dropped a torn line of {past.torn} bytes at byte {past.end} of {folder / JOURNAL}"
            stderr_console().print(said, soft_wrap=True)
        with continued_journal(folder / JOURNAL, past) as journal:
            if progress.is_due:
                journal.append(Resumption(now.started, len(past.trials), now.environment["git"]))
            yield OpenRun(folder, journal, past.trials)


def _planned(experiment: Experiment) -> str:
    """Write how many trials there could have been."""
    trials = experiment.blocks * len(experiment.cases)
    return f"{trials}" if experiment.stopping is None else f"up to {trials}"


def _run_blocks(experiment: Experiment, ongoing: OpenRun, limits: Limits, *, quiet: bool) -> None:
    """Run with the kind of progress that fits where stderr goes; hold the time against the prediction."""
    journal, kept = ongoing.journal, ongoing.kept
    if quiet:
        run_blocks(experiment, journal, Observer(), kept)
        return
    console = stderr_console()
    for note in experiment.notes:
        console.print(f"note: {note}", soft_wrap=True)
    for warning in noise_warnings(read_machine()):
        console.print(f"warning: {warning}", soft_wrap=True)
    outlooks = forecast_run(experiment)
    for warning in resource_warnings(experiment, outlooks, limits):
        console.print(f"warning: {warning}", soft_wrap=True)
    for expected in expected_duration_lines(outlooks, experiment):
        console.print(expected, soft_wrap=True)
    if kept:
        console.print(f"going on after {_counted(kept)} of {_planned(experiment)} trials", soft_wrap=True)
    started_s = monotonic()
    if console.is_terminal:
        with live_line(console) as line:
            measured = run_blocks(experiment, journal, LiveProgress(line, ProgressState(monotonic)), kept)
    else:
        measured = run_blocks(experiment, journal, PlainProgress(console, ProgressState(monotonic)), kept)
    if measured:
        took = actual_duration_line(outlooks, measured, monotonic() - started_s)
        console.print(took, soft_wrap=True)


def _tell_where(document: Run, folder: Path, *, planned: str, resume: str) -> None:

    told = f"kept in {folder}"
    if document.status == "partial":
        told = f"stopped early: {_counted(document.trials)} of {planned} trials kept in {folder}; {resume}"
    stderr_console().print(told, soft_wrap=True)


def _counted(trials: tuple[Measurement, ...]) -> int:

    return len(final_attempts(trials))


def _resume_words(order: RunOptions, folder: Path) -> str:
    """Write the command that goes on with a run, as it can be given again."""
    words = [order.command, *order.sides, order.config, *order.options, "--resume", str(folder)]
    return f"{_program()} {shlex.join(words)}"


def _program() -> str:
    return "python -m bench" if Path(sys.argv[0]).name == "__main__.py" else "flagbench"
