"""Making a trial ready: the server serves it, it has a folder, and its task is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from time import process_time

from bench.api import LARGEST_BYTES
from bench.model.cases import NO_CLIENT, Case
from bench.model.comparison import BuiltVariant
from bench.model.latency_histogram import encode_histogram
from bench.model.results import Leak, Measurement, Round
from bench.model.served_trials import Opening
from bench.runner.context import RunContext, ScheduledTrial
from bench.runner.expected_round import Expectation, expected_round
from bench.runner.processes.redact import redact_text
from bench.runner.processes.server_process import RunningServer
from bench.runner.processes.worker_exit import WorkerExit
from bench.runner.processes.worker_process import run_worker
from bench.runner.protected_files import (
    lay_out_authority,
    remove_tree,
    restore_authority,
    restore_reference,
    restore_surroundings,
    surroundings,
)
from bench.runner.time_breakdown import account
from bench.runner.validate import Evidence, classify_trial
from bench.system.disturbance import Snapshot, conditions_between, cpu_s, take_snapshot
from bench.system.process_probes import Peaks
from bench.worker.protocol import WORKER_PROBES, Task


@dataclass(frozen=True, slots=True)
class PreparedTrial:
    """A trial that can be run.

    Attributes:
        name: under which the server serves it, and of its folder.
        authority: whom its worker trusts, as PEM; empty where nothing is encrypted.
        peaks: takes what it holds on to at the most.
    """

    name: str
    case: Case
    turn: ScheduledTrial
    side: BuiltVariant
    task: Task
    authority: str
    peaks: Peaks


def prepare_trial(
    site: RunContext, server: RunningServer, case: Case, turn: ScheduledTrial, *, paced: bool = False
) -> PreparedTrial:
    """Open a trial at the server and make its folder.

    Raises:
        ServerDiedError: the flag server is gone.
    """
    experiment, countries, side = site.experiment, case.countries, site.side(case)
    name = f"b{turn.block}p{turn.position}a{turn.attempt}"
    if paced:  # two trials are open at once, and neither is to guess the other's address
        name = f"{name}-{token_hex(8)}"
    opened = server.handle.open_trial(
        Opening(name, case.profile, turn.block, countries.codes, countries.repeat, 1 if paced else None)
    )
    folder = site.launcher.workspace / name
    folder.mkdir()
    task = Task(
        strategy_file=side.strategies[case.strategy],
        client=None if case.client == NO_CLIENT else case.client,
        workers=case.workers,
        keep_alive=case.keep_alive,
        countries=countries.codes,
        repeat=countries.repeat,
        base_url=opened.url,
        rounds=experiment.rounds,
        folder=folder,
        reference=site.reference,
        request_timeout_s=experiment.request_timeout_s,
        paced=paced,
        authority=lay_out_authority(site.launcher.workspace, opened.authority),
        http2=case.profile.http2,
        probes=tuple(name for name in WORKER_PROBES if name in experiment.probes),
        largest_bytes=max(LARGEST_BYTES, *site.flag_sizes.values()),
        checks_content=any(fault.kind == "wrong_content" for fault in case.profile.faults),
    )
    return PreparedTrial(name, case, turn, side, task, opened.authority, Peaks(experiment.probes))


def run_and_validate(
    site: RunContext,
    server: RunningServer,
    trials: Sequence[PreparedTrial],
    run: Callable[[], Sequence[WorkerExit]],
) -> tuple[Measurement, ...]:
    """Run trials that go on at the same time, and return what each yields, in their order.

    What the machine did meanwhile, and what lay where it should not, counts for all of them.

    Raises:
        ServerDiedError: the flag server is gone; whatever the workers said is then worth nothing.
    """
    workspace = site.launcher.workspace
    names = {trial.name for trial in trials}
    around = {name: each for name, each in surroundings(workspace).items() if name not in names}
    waits_before = server.handle.count_waits()
    before = _snapshot(site, server)
    endings = run()
    after = _snapshot(site, server)
    waits = server.handle.count_waits() - waits_before
    seen = [server.handle.close_trial(trial.name) for trial in trials]
    escaped = sorted(
        {
            *restore_surroundings(workspace, around, own=names),
            *restore_reference(site.reference, site.flags),
            *(name for trial in trials for name in restore_authority(workspace, trial.authority)),
        }
    )
    evidence = [
        Evidence(
            ending=ending,
            seen=statements,
            expected=_expected(site, trial, trial.case),
            escaped=escaped,
            waits=waits,
            before=before,
            after=after,
            warm_up=_expected(site, trial, without_repeats(trial.case)) if trial.task.paced else None,
        )
        for trial, ending, statements in zip(trials, endings, seen, strict=True)
    ]
    return tuple(_measurement(site, *each) for each in zip(trials, evidence, strict=True))


def _measurement(site: RunContext, trial: PreparedTrial, evidence: Evidence) -> Measurement:
    ending, turn = evidence.ending, trial.turn
    rounds = _rounds(evidence)
    outcome, detail = classify_trial(evidence, site.experiment, trial.task.strategy_file, rounds[1:])
    remove_tree(trial.task.folder)
    report, before, after = ending.report, evidence.before, evidence.after
    return Measurement(
        case=trial.case.id,
        block=turn.block,
        position=turn.position,
        attempt=turn.attempt,
        outcome=outcome,
        detail=redact_text(detail, Path.home()),
        took_s=ending.ended_s - ending.started_s,
        cold_start_s=report.ready_s - ending.started_s if report and report.ready_s else None,
        imports_s=report.ready_s - report.began_s if report and report.ready_s else None,
        warm_up=rounds[0] if rounds else None,
        rounds=rounds[1:],
        latency=encode_histogram(timed.latencies_us for timed in report.rounds[1:]) if report else "",
        probes=trial.peaks.seen,
        conditions=conditions_between(before, after) if before and after else None,
        cores=site.pinning.worker_processors,
        leak=_leak(ending),
    )


def without_repeats(case: Case) -> Case:
    """Return a case as its paced warm-up has it, which asks each country once."""
    return replace(case, countries=replace(case.countries, repeat=1))


def _expected(site: RunContext, trial: PreparedTrial, case: Case) -> Expectation:
    return expected_round(case, site.experiment, trial.turn.block, site.flag_sizes)


def _leak(ending: WorkerExit) -> Leak | None:
    """Put together what was left behind within the worker, and what outlived it."""
    left = ending.report.left if ending.report else None
    return Leak(left.threads, left.descriptors, ending.processes_left) if left else None


def _rounds(evidence: Evidence) -> tuple[Round, ...]:
    report = evidence.ending.report
    reported = report.rounds if report else ()
    return tuple(
        account(timed, evidence.seen.get(number), evidence.awaited(number))
        for number, timed in enumerate(reported)
    )


def _snapshot(site: RunContext, server: RunningServer) -> Snapshot | None:
    """Read the machine's counters, and those of the run's own processes."""
    launcher, pid = site.launcher, server.child.pid
    return take_snapshot(site.pinning.processors, lambda: launcher.cpu_s() + process_time() + cpu_s(pid))


def measure(site: RunContext, server: RunningServer, case: Case, turn: ScheduledTrial) -> Measurement:
    """Run one trial.

    Raises:
        ServerDiedError: the flag server is gone; whatever the worker said is then worth nothing.
    """
    trial = prepare_trial(site, server, case, turn)

    def run() -> list[WorkerExit]:
        ending = run_worker(
            site.launcher,
            trial.task,
            site.experiment.deadline_s,
            side=trial.side,
            keep=(server.child.pid,),
            cores=site.pinning.worker,
            peaks=trial.peaks,
        )
        return [ending]

    (measurement,) = run_and_validate(site, server, [trial], run)
    return measurement
