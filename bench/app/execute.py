"""Execute a run: measure an experiment, store it, and say where. Shared by every command that measures."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import monotonic, process_time

from bench.app.client_environments import with_environments
from bench.app.cluster_blocks import (
    ClusterRun,
    OpenCluster,
    machine_lines,
    machine_warnings,
    open_cluster,
)
from bench.app.cluster_check import check_clusters
from bench.app.output import ignore_line, print_note, stderr_console
from bench.app.preflight import (
    blind_spots_note,
    check_import_path,
    check_resources,
    check_results_space,
    plan_pinning,
    resource_warnings,
    shared_core_note,
)
from bench.app.served_files import with_files
from bench.errors import BenchError, ExitCode, UsageError
from bench.model.cases import Experiment
from bench.model.lower_bound import CaseForecast
from bench.model.observer import Observer
from bench.model.results import Measurement, Resumption, Run, RunHeader
from bench.report.job_use import other_client_lines
from bench.report.progress import comparison_line, show_progress, unmatched_case_lines
from bench.report.time_estimate import (
    actual_duration_line,
    expected_duration_line,
    target_work_line,
    time_limit_warnings,
)
from bench.runner.block_loop import run_blocks
from bench.runner.cluster.block_loop import run_blocks_on
from bench.runner.cluster.fleet import Fleet
from bench.runner.cluster.machines import describe_machines, joined_machines, known_machines
from bench.runner.context import RunContext, run_context
from bench.runner.processes.signals import Interrupted, handle_interrupts
from bench.runner.processes.workspace import is_in_memory, workspace_parent
from bench.runner.run_document import check_resumable, config_record, run_document
from bench.runner.time_estimate import forecast_run
from bench.runner.trial import measure_entry
from bench.stats.missing_blocks import cases_with_too_few_blocks
from bench.stats.retries import final_attempts
from bench.stats.schedule import Schedule, replay
from bench.storage.journal import Journal, JournalContents, continued_journal, new_journal, read_journal
from bench.storage.run_folder import (
    JOURNAL,
    Destination,
    check_destination,
    existing_folder,
    is_up_to_date,
    new_folder,
)
from bench.system.cpu_affinity import Pinning
from bench.system.environment import describe_environment
from bench.system.limits import Limits
from bench.system.machine import read_machine
from bench.system.noise_advice import noise_warnings
from bench.system.other_processes import ProcessTimes, others_between, read_process_times
from bench.system.program_name import program_name


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The words of the command that measures, to store them and to write how its run is resumed.

    Attributes:
        name: of the command.
        config: the config, as it was given.
        options: the options that change the config.
        variants: the arguments before the config, those of a comparison.
        on: the cluster whose machines measure; empty: this machine does. It may be a path.
    """

    name: str
    config: str
    options: tuple[str, ...]
    variants: tuple[str, ...] = ()
    on: str = ""

    @property
    def stored(self) -> tuple[str, ...]:
        """The words as a run stores them, without the path of the config."""
        return (self.name, *self.variants, "CONFIG", *self.options, *(("--on", "CLUSTER") if self.on else ()))

    def to_resume(self, folder: Path) -> str:
        """Write the command that resumes the run of a folder, for a shell."""
        on = ["--on", self.on] if self.on else []
        words = [self.name, *self.variants, self.config, *self.options, *on, "--resume", str(folder)]
        return f"{program_name()} {shlex.join(words)}"


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run whose folder and journal are open, and what is known of it before its first trial.

    Attributes:
        flags: every flag as the server serves it, by country.
        fleet: the machines that measure; None: this one does.
    """

    folder: Path
    journal: Journal
    schedule: Schedule
    pinning: Pinning
    flags: Mapping[str, bytes]
    limits: Limits
    fleet: Fleet | None = None


def execute_run(  # noqa: PLR0913  one argument a part of the run
    experiment: Experiment,
    present: Callable[[Run, Path], int],
    command: CommandLine,
    destination: Destination,
    *,
    quiet: bool,
    cluster: ClusterRun | None = None,
) -> int:
    """Run an experiment, or the rest of a resumed one, and return the exit code.

    Args:
        experiment: the trials, alone or in the pairs of a comparison.
        present: stores and prints the document of the run, whatever ended it, and returns the exit code that
            its trials call for; it is also given the folder of the run.
        command: the words that lead to the experiment.
        destination: the folder of a new run, or the run to resume.
        quiet: whether to print no progress, but notes and warnings.
        cluster: the cluster whose machines measure; None: this machine does.

    Raises:
        BenchError: the run cannot be started, or it cannot go on; its trials so far are stored and presented.
    """
    code = 0
    fault: Exception | None = None
    experiment = with_environments(experiment, destination, quiet=quiet)
    with (
        handle_interrupts() as signals,
        nullcontext() if cluster is None else open_cluster(cluster, experiment) as opened,
        _open_run(experiment, command.stored, destination, opened) as run,
    ):
        folder = run.folder
        resume = f"resume with `{command.to_resume(folder)}`"
        signals.exit_message = f"left at once; the finished trials are in {folder / JOURNAL}; {resume}"
        try:
            with suppress(Interrupted):
                _measure(run, quiet=quiet)
                signals.hold()
        except Exception as error:  # noqa: BLE001  raised again once the trials are safe
            fault = error
        signals.hold()
        document = run_document(run.schedule.experiment, run.journal.contents(), name=folder.name)
        is_saved = True
        try:
            code = present(document, folder)
        except BenchError as error:  # the user should know of the first error
            is_saved = False
            fault = fault or error
        _print_location(document, folder, planned=_planned(run.schedule), resume=resume, is_saved=is_saved)
    if fault is not None:
        raise fault
    return code if signals.exit_code is None else signals.exit_code


def exit_code_of(document: Run) -> ExitCode:
    """Return the exit code of a run that only its trials can fail; a discarded trial fails nothing."""
    if any(trial.outcome not in {"ok", "invalid"} for trial in final_attempts(document.trials)):
        return ExitCode.FAILED_TRIALS
    return ExitCode.INCONCLUSIVE if cases_with_too_few_blocks(document) else ExitCode.OK


@contextmanager
def _open_run(
    experiment: Experiment,
    command: tuple[str, ...],
    destination: Destination,
    cluster: OpenCluster | None,
) -> Iterator[OpenRun]:
    """Check the resources of the machine, and open a new run, or the one to resume."""
    check_destination(destination)
    now, pinning = datetime.now(UTC), plan_pinning(experiment)
    experiment = with_files(experiment)
    flags = experiment.files
    check_import_path()
    # before there is a folder: an interrupt meanwhile would leave an empty one
    header = RunHeader(
        started=now.isoformat(timespec="seconds"),
        config=config_record(experiment, flags),
        environment={
            **describe_environment({case.client for case in experiment.cases}, pinning),
            "saves": "in memory" if is_in_memory(workspace_parent()) else "on disk",
            **({"clusters": clusters} if (clusters := check_clusters(experiment)) else {}),
        },
        command=command,
    )
    with ExitStack() as stack:
        # a new run goes on from an empty journal
        place, past = destination.new_place, JournalContents(header)
        if destination.resume is not None:
            place = stack.enter_context(existing_folder(destination.resume))
            past = read_journal(place / JOURNAL)
        known = known_machines(past.header.environment, (each.machines for each in past.resumed))
        fleet = None if cluster is None else cluster.fleet(known)
        if fleet is not None:
            environment = describe_machines([*fleet.machines.values()], header.environment)
            header = replace(header, environment=environment)
            past = past if destination.resume is not None else JournalContents(header)
        check_space = check_resources if fleet is None else check_results_space
        limits = check_space(experiment, flags, place, kept=_count(past.trials))
        check_resumable(past.header, header)
        schedule = replay(experiment, past.trials)
        if destination.resume is not None:
            folder = place
            _check_unfinished(schedule, folder, past)
            journal = stack.enter_context(continued_journal(folder / JOURNAL, past))
            if not schedule.is_over:
                joined = {} if fleet is None else joined_machines([*fleet.machines.values()], known)
                git = header.environment["git"]
                journal.append(Resumption(header.started, len(past.trials), git, joined))
        else:
            folder = stack.enter_context(new_folder(experiment.name, now, destination.out))
            journal = stack.enter_context(new_journal(folder / JOURNAL, header))
        yield OpenRun(folder, journal, schedule, pinning, flags, limits, fleet)


def _check_unfinished(schedule: Schedule, folder: Path, past: JournalContents) -> None:
    """Refuse to resume a run that is complete, and tell if its last line was torn."""
    if schedule.is_over and is_up_to_date(folder, schedule.kept):
        raise UsageError(
            f"{folder} is complete: there is nothing to resume",
            hint=f"see it with `{program_name()} show {shlex.quote(str(folder))}`",
        )
    if past.torn:
        where = f"at byte {past.end} of {folder / JOURNAL}"
        print_note(f"dropped a torn line of {past.torn} bytes {where}")


def _measure(run: OpenRun, *, quiet: bool) -> None:
    """Run the trials that are due, and keep in the journal what other processes used meanwhile.

    Notes and warnings are printed also where progress is unwanted.
    """
    experiment, progress = run.schedule.experiment, ignore_line if quiet else print_note
    if run.fleet is not None:
        _measure_on(run, run.fleet, progress, quiet=quiet)
        return
    forecasts = _announce(run, progress)
    with _record_others(run), run_context(experiment, run.pinning, run.flags) as context:
        _note_kept_work(context, run.schedule)
        began_s = monotonic()
        display = nullcontext(Observer()) if quiet else show_progress(experiment.comparison, stderr_console())
        with display as observer:
            measured = run_blocks(run.schedule, partial(measure_entry, context), run.journal.append, observer)
        for line in other_client_lines(experiment, measured):
            print_note(f"warning: {line}")
        if forecasts and measured:
            progress(actual_duration_line(forecasts, measured, monotonic() - began_s))


def _note_kept_work(context: RunContext, schedule: Schedule) -> None:
    """Take note of the times of CPU work that the trials before a resumption have measured."""
    cases = {case.id: case for case in schedule.experiment.cases}
    for trial in schedule.kept:
        context.note_work(cases[trial.case], [trial.work_s_per_byte])


def _measure_on(run: OpenRun, fleet: Fleet, progress: Callable[[str], None], *, quiet: bool) -> None:
    """Have machines of a cluster run the blocks that are due."""
    experiment, machines = run.schedule.experiment, [*fleet.machines.values()]
    for note in experiment.notes:
        print_note(f"note: {note}")
    for line in machine_warnings(machines):
        print_note(line)
    for line in machine_lines(machines, experiment):
        progress(line)
    if kept := run.schedule.kept:
        progress(f"resuming after {_count(kept)} of {_planned(run.schedule)} trials")
    display = nullcontext(Observer()) if quiet else show_progress(None, stderr_console())
    try:
        with display as observer:
            measured = run_blocks_on(fleet, run.schedule, run.journal.append, observer, print_note)
    finally:
        fleet.cancel()
    for line in other_client_lines(experiment, measured):
        print_note(f"warning: {line}")


@contextmanager
def _record_others(run: OpenRun) -> Iterator[None]:
    """Append to the journal what other processes used meanwhile, if that is known and trials were run.

    An interrupt ends the trials like anything else. If they fail, nothing more can be relied on.
    """
    before, spent_s = _read_process_times(run.schedule.experiment), run.schedule.state.spent_s
    try:
        yield
    except Interrupted:
        _append_others(run, before, spent_s)
        raise
    _append_others(run, before, spent_s)


def _append_others(run: OpenRun, before: ProcessTimes | None, spent_s: float) -> None:
    """Append the use since ``before`` if trials were run, which adds to the seconds of all trials."""
    after = _read_process_times(run.schedule.experiment)
    if before and after and run.schedule.state.spent_s > spent_s:
        run.journal.append(others_between(before, after))


def _read_process_times(experiment: Experiment) -> ProcessTimes | None:
    """Read the processor times of all processes and of our own, children included; None if unwanted."""
    return read_process_times(_own_cpu_s) if experiment.process_names else None


def _own_cpu_s() -> float:
    """Return the processor time of this process and of all below it that have ended."""
    ended = getrusage(RUSAGE_CHILDREN)
    return process_time() + ended.ru_utime + ended.ru_stime


def _announce(run: OpenRun, progress: Callable[[str], None]) -> Sequence[CaseForecast]:
    """Print notes, warnings and what will be measured; return the forecasts on which they rest.

    There are none for a comparison or a target, nor where no trial is due.
    """
    experiment = run.schedule.experiment
    found = (blind_spots_note(), shared_core_note(experiment, run.pinning))
    for note in (*experiment.notes, *filter(None, found)):
        print_note(f"note: {note}")
    for warning in noise_warnings(read_machine()):
        print_note(f"warning: {warning}")
    if experiment.comparison is not None:
        for line in unmatched_case_lines(experiment.comparison):
            print_note(line)
        progress(comparison_line(experiment.name, experiment.comparison))
        return ()
    forecasts: Sequence[CaseForecast] = ()
    if experiment.target is not None:
        progress(target_work_line(experiment))
    elif not run.schedule.is_over:
        forecasts = forecast_run(experiment, run.flags, run.pinning, progress)
        for warning in (
            *resource_warnings(forecasts, run.limits),
            *time_limit_warnings(forecasts, experiment),
        ):
            print_note(f"warning: {warning}")
        progress(expected_duration_line(forecasts, experiment))
    if kept := run.schedule.kept:
        progress(f"resuming after {_count(kept)} of {_planned(run.schedule)} trials")
    return forecasts


def _print_location(document: Run, folder: Path, *, planned: str, resume: str, is_saved: bool) -> None:
    """Say where the run is stored, and how to resume it if something is missing."""
    line = f"kept in {folder}; for a page with charts: {program_name()} report {shlex.quote(str(folder))}"
    if not (folder / JOURNAL).exists():
        line = f"nothing is kept: {folder / JOURNAL} was removed"
    elif not is_saved and document.status == "complete":
        line = f"only the trials are kept, in {folder / JOURNAL}; to write the results, {resume}"
    elif document.status == "partial":
        line = f"stopped early: {_count(document.trials)} of {planned} trials kept in {folder}; {resume}"
    print_note(line)


def _planned(schedule: Schedule) -> str:
    """Write how many trials there can be."""
    experiment = schedule.experiment
    trials = experiment.blocks * len(experiment.cases)
    return f"{trials}" if experiment.stopping is None else f"up to {trials}"


def _count(trials: tuple[Measurement, ...]) -> int:
    return len(final_attempts(trials))
