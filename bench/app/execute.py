"""Execute a run: measure an experiment, store it, and say where. Shared by every command that measures."""

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic

from bench.app.output import print_note, stderr_console
from bench.app.preflight import check_import_path, check_resources, resource_warnings
from bench.errors import BenchError, ExitCode, SetupError, UnsavedRunError, UsageError
from bench.model.cases import Experiment
from bench.model.flags import served_flags
from bench.model.lower_bound import CaseForecast
from bench.model.observer import Observer
from bench.model.results import Measurement, Resumption, Run, RunHeader
from bench.report.job_use import other_client_lines
from bench.report.progress import comparison_line, show_progress, unmatched_case_lines
from bench.report.time_estimate import actual_duration_line, expected_duration_line, time_limit_warnings
from bench.runner.block_loop import run_blocks
from bench.runner.context import run_context
from bench.runner.processes.signals import Interrupted, handle_interrupts
from bench.runner.run_document import check_resumable, config_record, run_document
from bench.runner.schedule import Schedule, replay
from bench.runner.time_estimate import forecast_run, needs_pilots
from bench.runner.trial import measure_entry
from bench.stats.retries import final_attempts
from bench.storage.journal import Journal, JournalContents, continued_journal, new_journal, read_journal
from bench.storage.output_check import check_appended_file, check_output_folder
from bench.storage.run_folder import (
    ELSEWHERE,
    JOURNAL,
    RUNS,
    check_unused,
    existing_folder,
    is_up_to_date,
    new_folder,
)
from bench.system.cpu_affinity import Pinning, plan_pinning
from bench.system.environment import describe_environment
from bench.system.limits import Limits
from bench.system.machine import read_machine
from bench.system.noise_advice import noise_warnings


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The words of the command line, beside the experiment that they lead to.

    Attributes:
        command: name of the command.
        config: the config, as it was given.
        options: the options that change the config.
        out: folder of a new run, if one is named.
        resume: the run to resume, if there is one.
        variants: the arguments before the config, those of a comparison.
    """

    command: str
    config: str
    options: tuple[str, ...]
    out: Path | None
    resume: Path | None
    quiet: bool
    variants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run whose folder and journal are open."""

    folder: Path
    journal: Journal
    schedule: Schedule
    pinning: Pinning
    flags: Mapping[str, bytes]
    limits: Limits


def execute_run(experiment: Experiment, present: Callable[[Run, Path], int], options: RunOptions) -> int:
    """Run an experiment, or the rest of a resumed one, and return the exit code.

    Args:
        experiment: the trials, alone or in the pairs of a comparison.
        present: stores and prints the document of the run, whatever ended it, and returns the exit code that
            its trials call for; it is also given the folder of the run.
        options: the words of the command line.

    Raises:
        BenchError: the run cannot be started, or it cannot go on; its trials so far are stored and presented.
    """
    code = 0
    fault: Exception | None = None
    with handle_interrupts() as signals, _open_run(experiment, options) as run:
        folder = run.folder
        resume = f"resume with `{_resume_command(options, folder)}`"
        signals.exit_message = f"left at once; the finished trials are in {folder / JOURNAL}; {resume}"
        try:
            with suppress(Interrupted):
                _measure(run, experiment, quiet=options.quiet)
                signals.hold()
        except Exception as error:  # noqa: BLE001  raised again once the trials are safe
            fault = error
        signals.hold()
        document = run_document(experiment, run.journal.contents(), name=folder.name)
        is_saved = True
        try:
            code = present(document, folder)
        except BenchError as error:  # the user should know of the first error
            is_saved = False
            fault = fault or error
        _print_location(document, folder, planned=_planned(experiment), resume=resume, is_saved=is_saved)
    if fault is not None:
        raise fault
    return code if signals.exit_code is None else signals.exit_code


def exit_code_of(document: Run) -> ExitCode:
    """Return the exit code of a run that only its trials can fail."""
    is_ok = all(trial.outcome == "ok" for trial in final_attempts(document.trials))
    return ExitCode.OK if is_ok else ExitCode.FAILED_TRIALS


def check_run_folder(options: RunOptions) -> None:
    """Check that the folder of a new run can be written, or that of the run to resume.

    Raises:
        UsageError: it is not empty, is no folder, or there is nothing to resume.
        LockedError: another process uses the run to resume.
        SetupError: it cannot be written.
    """
    if options.resume is not None:
        with existing_folder(options.resume) as folder:
            check_appended_file(folder / JOURNAL, "--resume")
    elif options.out is not None:
        check_output_folder(options.out, "--out")
        check_unused(options.out)
    else:
        check_output_folder(RUNS, "the run", elsewhere=ELSEWHERE)


@contextmanager
def saved(save: Callable[[], None], code: ExitCode) -> Iterator[None]:
    """Save a run, then let it be shown, whether or not it could be saved.

    Raises:
        UnsavedRunError: it could not be saved; raised at the end.
    """
    unsaved: SetupError | None = None
    try:
        save()
    except SetupError as error:
        unsaved = error
    yield
    if unsaved is not None:
        raise UnsavedRunError(unsaved, code) from unsaved


@contextmanager
def _open_run(experiment: Experiment, options: RunOptions) -> Iterator[OpenRun]:
    """Check the resources of the machine, and open a new run, or the one to resume."""
    check_run_folder(options)
    now, pinning, past = datetime.now(UTC), plan_pinning(experiment), None
    flags = served_flags(experiment.flags_dir)
    flag_sizes = {code: len(flag) for code, flag in flags.items()}
    check_import_path(experiment)
    # before there is a folder: an interrupt meanwhile would leave an empty one
    header = RunHeader(
        started=now.isoformat(timespec="seconds"),
        config=config_record(experiment, flags),
        environment=describe_environment({case.client for case in experiment.cases}, pinning),
        command=(options.command, *options.variants, "CONFIG", *options.options),
    )
    with ExitStack() as stack:
        if options.resume is None:
            limits = check_resources(experiment, flag_sizes, options.out)
            folder = stack.enter_context(new_folder(experiment.name, now, options.out))
        else:
            folder = stack.enter_context(existing_folder(options.resume))
            past = read_journal(folder / JOURNAL)
            limits = check_resources(experiment, flag_sizes, folder, kept=_count(past.trials))
        if past is not None:
            check_resumable(past.header, header)
        schedule = replay(experiment, () if past is None else past.trials)
        if past is None:
            journal = stack.enter_context(new_journal(folder / JOURNAL, header))
        else:
            _check_unfinished(schedule, folder, past)
            journal = stack.enter_context(continued_journal(folder / JOURNAL, past))
            if not schedule.is_over:
                journal.append(Resumption(header.started, len(past.trials), header.environment["git"]))
        yield OpenRun(folder, journal, schedule, pinning, flags, limits)


def _check_unfinished(schedule: Schedule, folder: Path, past: JournalContents) -> None:
    """Refuse to resume a run that is complete, and tell if its last line was torn."""
    if schedule.is_over and is_up_to_date(folder, schedule.kept):
        raise UsageError(
            f"{folder} is complete: there is nothing to resume",
            hint=f"see it with `{_program()} show {shlex.quote(str(folder))}`",
        )
    if past.torn:
        where = f"at byte {past.end} of {folder / JOURNAL}"
        print_note(f"dropped a torn line of {past.torn} bytes {where}")


def _measure(run: OpenRun, experiment: Experiment, *, quiet: bool) -> None:
    """Run the trials that are due; notes and warnings are printed also where progress is unwanted."""
    console = stderr_console()
    forecasts = _print_warnings(run, experiment, quiet=quiet)
    if not quiet:
        _print_plan(run, experiment, forecasts)
    with run_context(experiment, run.pinning, run.flags) as context:
        began_s = monotonic()
        with nullcontext(Observer()) if quiet else show_progress(experiment, console) as observer:
            measured = run_blocks(run.schedule, partial(measure_entry, context), run.journal.append, observer)
        for line in other_client_lines(experiment, measured):
            print_note(f"warning: {line}")
        if forecasts and measured and not quiet:
            print_note(actual_duration_line(forecasts, measured, monotonic() - began_s))


def _print_warnings(run: OpenRun, experiment: Experiment, *, quiet: bool) -> Sequence[CaseForecast]:
    """Print notes and warnings, and return the forecasts on which they rest.

    There are none for a comparison, nor where no trial is due.
    """
    for note in experiment.notes:
        print_note(f"note: {note}")
    for warning in noise_warnings(read_machine()):
        print_note(f"warning: {warning}")
    if experiment.comparison is not None:
        for line in unmatched_case_lines(experiment.comparison):
            print_note(line)
        return ()
    if run.schedule.is_over:
        return ()
    if not quiet and needs_pilots(experiment, {code: len(flag) for code, flag in run.flags.items()}):
        print_note("a pilot of each strategy and client tells how long trials take")
    forecasts = forecast_run(experiment, run.flags, run.pinning)
    for warning in (
        *resource_warnings(experiment, forecasts, run.limits),
        *time_limit_warnings(forecasts, experiment),
    ):
        print_note(f"warning: {warning}")
    return forecasts


def _print_plan(run: OpenRun, experiment: Experiment, forecasts: Sequence[CaseForecast]) -> None:
    """Print what will be measured, and how long it may take."""
    if experiment.comparison is not None:
        print_note(comparison_line(experiment, experiment.comparison))
        return
    if forecasts:
        print_note(expected_duration_line(forecasts, experiment))
    if kept := run.schedule.kept:
        print_note(f"resuming after {_count(kept)} of {_planned(experiment)} trials")


def _print_location(document: Run, folder: Path, *, planned: str, resume: str, is_saved: bool) -> None:
    """Say where the run is stored, and how to resume it if something is missing."""
    line = f"kept in {folder}"
    if not (folder / JOURNAL).exists():
        line = f"nothing is kept: {folder / JOURNAL} was removed"
    elif not is_saved and document.status == "complete":
        line = f"only the trials are kept, in {folder / JOURNAL}; to write the results, {resume}"
    elif document.status == "partial":
        line = f"stopped early: {_count(document.trials)} of {planned} trials kept in {folder}; {resume}"
    print_note(line)


def _planned(experiment: Experiment) -> str:
    """Write how many trials there can be."""
    trials = experiment.blocks * len(experiment.cases)
    return f"{trials}" if experiment.stopping is None else f"up to {trials}"


def _count(trials: tuple[Measurement, ...]) -> int:
    return len(final_attempts(trials))


def _resume_command(options: RunOptions, folder: Path) -> str:
    """Write the command that resumes a run, for a shell."""
    words = [options.command, *options.variants, options.config, *options.options, "--resume", str(folder)]
    return f"{_program()} {shlex.join(words)}"


def _program() -> str:
    return "python -m bench" if Path(sys.argv[0]).name == "__main__.py" else "flagbench"
