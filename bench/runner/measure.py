"""From a case and a block to a measurement: open the weather, run a worker, ask the witness, and judge."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time

from bench.histogram import encoded
from bench.machine.conditions import Snapshot, conditions, cpu_s, disturbance, snapshot, turned_away
from bench.machine.pinning import Pinning
from bench.machine.probes import Peaks
from bench.measurement import Measurement, Outcome, Round
from bench.model import NO_CLIENT, Case, Experiment
from bench.runner.accounting import account
from bench.runner.expectation import Expectation, expect, flaw
from bench.runner.flagserver import RunningServer
from bench.runner.launch import Launcher
from bench.runner.reference import restore_reference
from bench.runner.refusal import refusal
from bench.runner.trial import Ending, run_worker, verdict
from bench.server.paths import trial_url
from bench.server.testimony import Statement
from bench.server.trials import Opening
from bench.worker.protocol import WORKER_PROBES, Task


@dataclass(frozen=True, slots=True)
class Site:
    """What all trials of a run share.

    Attributes:
        flags: every flag as the server serves it, by country.
        reference: folder with the same as files, for verification.
        pinning: where server, worker and harness run.
    """

    experiment: Experiment
    launcher: Launcher
    flags: Mapping[str, bytes]
    reference: Path
    pinning: Pinning

    @property
    def flag_sizes(self) -> Mapping[str, int]:
        """Bytes of each flag."""
        return {code: len(flag) for code, flag in self.flags.items()}


@dataclass(frozen=True, slots=True)
class Turn:
    """When a trial is run.

    Attributes:
        position: place in the block's order, from 0.
        attempt: how often the trial was invalid before.
    """

    block: int
    position: int
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of a trial once it is over.

    Attributes:
        seen: what the server says, by round.
        waits: how often clients were seen to wait because the server had no descriptor for them.
        before: the machine's counters when it began; ``None``, like ``after``, if they cannot be read.
    """

    ending: Ending
    seen: Mapping[int, Statement]
    expected: Expectation
    waits: int
    before: Snapshot | None
    after: Snapshot | None


def measure(site: Site, server: RunningServer, case: Case, turn: Turn) -> Measurement:
    """Run one trial.

    Raises:
        ServerDiedError: the flag server is gone; whatever the worker said is then worth nothing.
    """
    experiment = site.experiment
    name = f"b{turn.block}p{turn.position}a{turn.attempt}"
    countries = case.countries
    server.handle.open_trial(Opening(name, case.profile, turn.block, countries.codes, countries.repeat))
    folder = site.launcher.workspace / name
    folder.mkdir()
    task = _task(site, server, case, name, folder)
    peaks = Peaks(experiment.probes)
    waits_before = server.handle.waits()
    before = _snapshot(site, server)
    ending = run_worker(
        site.launcher,
        task,
        experiment.deadline_s,
        keep=(server.child.pid,),
        cores=site.pinning.worker,
        peaks=peaks,
    )
    after = _snapshot(site, server)
    waits = server.handle.waits() - waits_before
    seen = server.handle.close_trial(name)
    expected = expect(case, experiment, turn.block, site.flag_sizes)
    evidence = Evidence(ending, seen, expected, waits, before, after)
    rounds = _rounds(evidence)
    if changed := restore_reference(site.reference, site.flags):
        outcome, detail = _escape(changed)
    else:
        outcome, detail = judge(evidence, rounds[1:], experiment, task.strategy_file)
    shutil.rmtree(folder, ignore_errors=True)
    report = ending.report
    return Measurement(
        case=case.id,
        block=turn.block,
        position=turn.position,
        attempt=turn.attempt,
        outcome=outcome,
        detail=detail,
        took_s=ending.ended_s - ending.started_s,
        cold_start_s=report.ready_s - ending.started_s if report and report.ready_s else None,
        imports_s=report.ready_s - report.began_s if report and report.ready_s else None,
        warm_up=rounds[0] if rounds else None,
        rounds=rounds[1:],
        latency=encoded(timed.latencies_us for timed in report.rounds[1:]) if report else "",
        probes=peaks.seen,
        conditions=conditions(before, after) if before and after else None,
        cores=site.pinning.worker_processors,
    )


def _task(site: Site, server: RunningServer, case: Case, name: str, folder: Path) -> Task:
    experiment = site.experiment
    return Task(
        strategy_file=experiment.strategies[case.strategy].file,
        client=None if case.client == NO_CLIENT else case.client,
        workers=case.workers,
        keep_alive=case.keep_alive,
        countries=case.countries.codes,
        repeat=case.countries.repeat,
        base_url=trial_url(server.handle.base_url, name),
        rounds=experiment.rounds,
        folder=folder,
        reference=site.reference,
        request_timeout_s=experiment.request_timeout_s,
        probes=tuple(name for name in WORKER_PROBES if name in experiment.probes),
    )


def judge(
    evidence: Evidence, timed_rounds: Sequence[Round], experiment: Experiment, strategy_file: Path
) -> tuple[Outcome, str]:
    """Say how a trial ended: by its own account, by what the server saw, by the machine.

    What the strategy did comes first: a busy machine excuses no wrong answer. That nobody let it in
    excuses that it got none.
    """
    ending, seen, expected = evidence.ending, evidence.seen, evidence.expected
    outcome, detail = verdict(ending, experiment.deadline_s, strategy_file)
    unserved = _unserved(evidence)
    if unserved and outcome == "timeout":
        return "invalid", unserved
    if outcome != "ok" or ending.report is None:
        return outcome, detail
    for number, timed in enumerate(ending.report.rounds):
        said = seen.get(number)
        if (found := flaw(timed, None if said is None else said.witness, expected)) is not None:
            return ("invalid", unserved) if unserved and found[0] == "error" else found
    why = unserved or _disturbance(evidence) or refusal(timed_rounds, expected)
    return "invalid" if why and experiment.disturbed == "refuse" else "ok", why


def _escape(changed: Sequence[str]) -> tuple[Outcome, str]:
    return "escape", f"changed files outside its folder: {', '.join(changed[:5])}"


def _unserved(evidence: Evidence) -> str:
    """Say why connections may not have come to the server; nothing if they did."""
    if evidence.waits:
        return "local_resource: the server had no descriptor for another connection"
    before, after = evidence.before, evidence.after
    return turned_away(before, after) if before and after else ""


def _disturbance(evidence: Evidence) -> str:
    before, after = evidence.before, evidence.after
    return disturbance(before, after) if before and after else ""


def _rounds(evidence: Evidence) -> tuple[Round, ...]:
    report = evidence.ending.report
    reported = report.rounds if report else ()
    return tuple(
        account(timed, evidence.seen.get(number), evidence.expected) for number, timed in enumerate(reported)
    )


def _snapshot(site: Site, server: RunningServer) -> Snapshot | None:
    """Read the machine's counters, and those of the run's own processes."""
    launcher, pid = site.launcher, server.child.pid
    return snapshot(site.pinning.processors, lambda: launcher.cpu_s() + process_time() + cpu_s(pid))
