"""The trials of a schedule entry: prepare, run and validate them, and put their measurements together."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import fsum
from pathlib import Path
from secrets import token_hex

from bench.api.pacing import create_open_schedule
from bench.errors import ServerDiedError
from bench.model.latency_histogram import encode_histogram
from bench.model.results import Conditions, Leak, Measurement
from bench.model.round_spans import (
    FetchSpan,
    RequestSpan,
    RoundSpans,
    pack_spans,
)
from bench.model.served_trials import Opening
from bench.model.text import redact_text
from bench.model.trial_outcome import Outcome
from bench.model.worker_runtime import ImportedLibrary, WorkerRuntime
from bench.runner.context import RunContext
from bench.runner.expected_round import Expectation, expected_call, expected_round
from bench.runner.paired_trial import DEFAULT_ROUNDS, run_pair
from bench.runner.processes.server_process import RunningServer
from bench.runner.processes.worker_exit import WorkerExit
from bench.runner.processes.worker_process import start_worker
from bench.runner.protected_files import (
    list_workspace,
    remove_tree,
    restore_authority,
    restore_reference,
    restore_workspace,
    write_authority,
)
from bench.runner.report_check import LONGEST_TEXT
from bench.runner.time_breakdown import account_round, merge_calls
from bench.runner.trial_task import build_task
from bench.runner.unreported_fetches import complete_report, explain_failure
from bench.runner.user_server import UserServer
from bench.runner.validate import Evidence, classify_trial
from bench.stats.retries import MOST_REPEATS
from bench.stats.schedule import ScheduledTrial, ScheduleEntry
from bench.system.disturbance import Snapshot, conditions_between, cpu_s, major_faults, take_snapshot
from bench.system.process_probes import Peaks
from bench.worker.protocol import MOST_SPANS, Report, Task


@dataclass(frozen=True, slots=True)
class PreparedTrial:
    """A trial that can be run.

    The server serves it, it has a folder, and its task is written.

    Attributes:
        name: its name at the server, and the name of its folder.
        authority: the CA certificate that its worker trusts, as PEM; empty where nothing is encrypted.
        peaks: collects the highest memory, threads and descriptors of its worker.
    """

    name: str
    scheduled: ScheduledTrial
    task: Task
    authority: str
    peaks: Peaks


def measure_entry(context: RunContext, entry: ScheduleEntry) -> Sequence[Measurement]:
    """Run the trials of an entry, and return their measurements in the same order.

    If the flag server dies meanwhile, they are invalid, whatever their workers report.

    Raises:
        SetupError: the server has died for the second time, or a process cannot be started.
    """
    began_s = time.perf_counter()
    try:
        return _measure(context, context.server.current, entry)
    except ServerDiedError as error:
        took_s = time.perf_counter() - began_s
        reason = context.server.restart(error)
        return [_unmeasured(trial, "invalid", reason, took_s) for trial in entry.trials]


def _measure(
    context: RunContext, server: RunningServer | UserServer, entry: ScheduleEntry
) -> list[Measurement]:
    """Prepare and run the trials of an entry, undo their changes outside their folders, and validate them."""
    is_pair = len(entry.trials) > 1
    paired_rounds = (context.experiment.rounds or DEFAULT_ROUNDS) if is_pair else None
    trials = [_prepare(context, server, trial, paced=is_pair) for trial in entry.trials]
    workspace = context.launcher.workspace
    own = {trial.name for trial in trials}
    files_before = list_workspace(workspace, own)
    waits_before = server.handle.count_waits()
    before = _snapshot(context, server)
    exits = _run_workers(context, server, trials, paired_rounds)
    after = _snapshot(context, server)
    waits = server.handle.count_waits() - waits_before
    spans = [_pack_spans(server, trial, ending) for trial, ending in zip(trials, exits, strict=True)]
    seen = [server.handle.close_trial(trial.name) for trial in trials]
    escaped = sorted(
        {
            *restore_workspace(workspace, files_before, own),
            *(
                name
                for each in context.references.values()
                for name in restore_reference(each.folder, each.flags)
            ),
            *(name for trial in trials for name in restore_authority(workspace, trial.authority)),
        }
    )
    measurements = []
    for trial, ending in zip(trials, exits, strict=True):
        context.note_work(trial.scheduled.case, _work_times(ending.report))
    for trial, ending, rounds_seen, packed in zip(trials, exits, seen, spans, strict=True):
        expected = _expected_round(context, trial.scheduled, ending.report)
        report = None if ending.report is None else complete_report(ending.report, expected)
        evidence = Evidence(
            strategy_file=trial.task.strategy_file,
            deadline_s=context.experiment.deadline_s,
            exit=replace(ending, report=report),
            seen=rounds_seen,
            expected=expected,
            escaped=escaped,
            waits=waits,
            before=before,
            after=after,
            client=trial.task.client,
            client_version=context.client_version(trial.scheduled.case),
            paired_calls=None if paired_rounds is None else paired_rounds * trial.task.calls,
            quotas=tuple(context.throttling),
            shares_machine=context.experiment.target is not None and not context.experiment.target.is_remote,
        )
        measurement = _measurement(context, trial, evidence)
        measurements.append(replace(measurement, spans=packed if measurement.outcome == "ok" else ""))
    return measurements


def _prepare(
    context: RunContext, server: RunningServer | UserServer, scheduled: ScheduledTrial, *, paced: bool
) -> PreparedTrial:
    """Open a trial at the server, make its folder and write its task."""
    experiment, case, workspace = context.experiment, scheduled.case, context.launcher.workspace
    name = f"b{scheduled.block}p{scheduled.position}a{scheduled.attempt}"
    if paced:  # two trials are open at once, and neither is to guess the other's address
        name = f"{name}-{token_hex(8)}"
    folder = workspace / name
    folder.mkdir()
    is_called_with_codes = context.function_call(case).is_foreign and experiment.target is None
    round_file = _make_round_file(folder) if is_called_with_codes else None
    opened = server.handle.open_trial(
        Opening(
            name,
            case.profile,
            scheduled.block,
            case.countries.codes,
            case.countries.repeat,
            experiment.request_timeout_s,
            str(round_file or ""),
        )
    )
    task = replace(
        build_task(context, scheduled, folder, opened.url),
        paced=paced,
        authority=write_authority(workspace, opened.authority),
        server_pid=next(iter(server.pids), None),
        round_file=round_file,
    )
    if task.is_open_loop:
        create_open_schedule(task.schedule)
    return PreparedTrial(name, scheduled, task, opened.authority, Peaks(experiment.probes))


def _make_round_file(folder: Path) -> Path:
    """Make the file with which a worker tells the server the number of its round."""
    file = folder / ".round"
    file.write_bytes(b"0")
    return file


def _run_workers(
    context: RunContext,
    server: RunningServer | UserServer,
    trials: Sequence[PreparedTrial],
    paired_rounds: int | None,
) -> list[WorkerExit]:
    """Run the worker of a trial, or both workers of a pair in turns."""
    keep = server.pids
    starts = [
        start_worker(
            context.launcher,
            trial.task,
            context.experiment.deadline_s,
            variant=context.variant(trial.scheduled.case),
            cores=context.pinning.worker,
            peaks=trial.peaks,
        )
        for trial in trials
    ]
    if paired_rounds is not None:
        return run_pair(starts, paired_rounds, context.launcher, keep)
    (start,) = starts
    with start as worker:
        worker.wait_for_event()
        return [worker.end(keep)]


def _measurement(context: RunContext, trial: PreparedTrial, evidence: Evidence) -> Measurement:
    is_last = trial.scheduled.attempt >= MOST_REPEATS
    outcome, detail = classify_trial(evidence, context.experiment.disturbed, is_last=is_last)
    fetches = sum(evidence.expected.fetches.values())
    explained = None
    if evidence.expected.is_planned:
        explained = explain_failure(trial.task.call, evidence.exit.report, evidence.seen, fetches)
    if outcome not in {"ok", "invalid"} and explained is not None:
        detail = f"{detail}; {explained}"
    remove_tree(trial.task.folder)
    ending, scheduled = evidence.exit, trial.scheduled
    report = ending.report
    calls = [
        account_round(timed, evidence.seen.get(number), expected_call(evidence.expected, number))
        for number, timed in enumerate(evidence.reported)
    ]
    per_round = trial.task.calls
    took_s = ending.ended_s - ending.started_s
    return replace(
        _unmeasured(scheduled, outcome, detail, took_s),
        cold_start_s=report.ready_s - ending.started_s if report and report.ready_s else None,
        imports_s=report.ready_s - report.began_s if report and report.ready_s else None,
        warm_up=calls[0] if calls else None,
        rounds=tuple(
            merge_calls(calls[first : first + per_round]) for first in range(1, len(calls), per_round)
        ),
        latency=encode_histogram(timed.latencies_us for timed in report.rounds[1:]) if report else "",
        probes=trial.peaks.seen,
        conditions=_conditions(evidence),
        cores=context.pinning.worker_processors,
        leak=_leak(ending),
        job_use=report.job_use if report else None,
        runtime=_runtime(report),
        work_s_per_byte=min((each for each in _work_times(report) if each is not None), default=None),
    )


def _pack_spans(server: RunningServer | UserServer, trial: PreparedTrial, ending: WorkerExit) -> str:
    """Put the worker's spans of a typical call together with the server's; return "" if it has none."""
    spans = ending.report.spans if ending.report else None
    if ending.report is None or spans is None:
        return ""
    records, all_requests = server.handle.first_requests(trial.name, spans.call, MOST_SPANS)
    columns = (spans.countries, spans.outcomes, spans.starts_s, spans.answers_s, spans.ends_s)
    zero_s = spans.called_s
    return pack_spans(
        RoundSpans(
            elapsed_s=ending.report.rounds[spans.call].elapsed_s,
            fetches=tuple(
                FetchSpan(country, outcome, *(at_s - zero_s for at_s in times_s))
                for country, outcome, *times_s in zip(*columns, strict=True)
            ),
            requests=tuple(
                RequestSpan(
                    each.country,
                    each.connection,
                    each.status,
                    each.fault,
                    each.arrival_s - zero_s,
                    each.start_s - zero_s,
                    each.end_s - zero_s,
                )
                for each in records
            ),
            all_fetches=spans.all_fetches,
            all_requests=all_requests,
        )
    )


def _conditions(evidence: Evidence) -> Conditions | None:
    """Put the load of the machine together with what the trial's own processes waited in timed rounds."""
    before, after, rounds = evidence.before, evidence.after, evidence.reported[1:]
    if before is None or after is None:
        return None
    return replace(
        conditions_between(before, after),
        worker_waited_s=_total([timed.run_delay_s for timed in rounds]),
        server_waited_s=_total([timed.server_delay_s for timed in rounds]),
        throttled=sum(timed.throttled for timed in rounds),
    )


def _total(waits_s: Sequence[float | None]) -> float | None:
    """Add up the waiting of all timed rounds; return None if that of any is unknown."""
    known = [max(0.0, each) for each in waits_s if each is not None]
    return fsum(known) if known and len(known) == len(waits_s) else None


def _expected_round(context: RunContext, trial: ScheduledTrial, report: Report | None) -> Expectation:
    """Return the expected round of a trial, with the CPU work as far as its time is known."""
    has_gil = report is not None and report.runtime is not None and report.runtime.has_gil
    work = context.known_work(trial.case, has_gil=has_gil)
    return expected_round(trial.case, context.experiment, trial.block, context.flag_sizes, work)


def _leak(ending: WorkerExit) -> Leak | None:
    """Put the leaks within the worker together with the processes that outlived it."""
    left = ending.report.left if ending.report else None
    return Leak(left.threads, left.descriptors, ending.processes_left) if left else None


def _work_times(report: Report | None) -> Sequence[float | None]:
    """Return the times of CPU work that each round has measured, for each byte."""
    return [] if report is None else [timed.work_s_per_byte for timed in report.rounds]


def _runtime(report: Report | None) -> WorkerRuntime | None:
    """Return the reported interpreter and libraries, with clean texts and without the name of the user."""
    if report is None or report.runtime is None:
        return None
    home = Path.home()
    libraries = tuple(
        ImportedLibrary(
            redact_text(each.module, home),
            each.importer,
            redact_text(each.distribution, home),
            redact_text(each.version, home),
            redact_text(each.file, home, LONGEST_TEXT),
        )
        for each in report.runtime.libraries
    )
    return replace(report.runtime, python=redact_text(report.runtime.python, home), libraries=libraries)


def _snapshot(context: RunContext, server: RunningServer | UserServer) -> Snapshot | None:
    """Read the counters of the trial's processors, and those of the run's own processes on them."""
    pinning, launcher, pids = context.pinning, context.launcher, server.pids
    is_shared = not pinning.harness or not pinning.trial_processors.isdisjoint(pinning.harness)
    return take_snapshot(
        pinning.trial_processors,
        lambda: launcher.cpu_s() + sum(map(cpu_s, pids)) + (time.process_time() if is_shared else 0.0),
        lambda: launcher.major_faults() + sum(map(major_faults, pids)),
    )


def _unmeasured(trial: ScheduledTrial, outcome: Outcome, detail: str, took_s: float) -> Measurement:
    """Return the measurement of a trial without any round."""
    return Measurement(
        case=trial.case.id,
        block=trial.block,
        position=trial.position,
        attempt=trial.attempt,
        outcome=outcome,
        detail=redact_text(detail, Path.home()),
        took_s=took_s,
        cold_start_s=None,
        imports_s=None,
        warm_up=None,
        rounds=(),
    )
