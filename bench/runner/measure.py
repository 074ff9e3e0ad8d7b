"""From a case and a block to a measurement: open the weather, run a worker, ask the witness, and judge."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import process_time

from bench.api import LARGEST_BYTES
from bench.histogram import encoded
from bench.machine.conditions import Snapshot, conditions, cpu_s, snapshot
from bench.machine.pinning import Pinning
from bench.machine.probes import Peaks
from bench.measurement import Leak, Measurement, Round
from bench.model import NO_CLIENT, Case, Experiment
from bench.runner.accounting import account
from bench.runner.authority import lay_out_authority, restore_authority
from bench.runner.expectation import expect
from bench.runner.flagserver import RunningServer
from bench.runner.judging import Evidence, judged
from bench.runner.launch import Launcher
from bench.runner.privacy import kept_words
from bench.runner.reference import restore_reference
from bench.runner.removal import remove
from bench.runner.surroundings import restore_surroundings, surroundings
from bench.runner.trial import Ending, run_worker
from bench.server.control import Opened
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


def measure(site: Site, server: RunningServer, case: Case, turn: Turn) -> Measurement:
    """Run one trial.

    Raises:
        ServerDiedError: the flag server is gone; whatever the worker said is then worth nothing.
    """
    experiment = site.experiment
    name = f"b{turn.block}p{turn.position}a{turn.attempt}"
    countries = case.countries
    opened = server.handle.open_trial(
        Opening(name, case.profile, turn.block, countries.codes, countries.repeat)
    )
    workspace = site.launcher.workspace
    folder = workspace / name
    task = _task(site, opened, case, folder)
    around = surroundings(workspace)
    folder.mkdir()
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
    escaped = {
        *restore_surroundings(workspace, around, own=name),
        *restore_reference(site.reference, site.flags),
        *restore_authority(workspace, opened.authority),
    }
    expected = expect(case, experiment, turn.block, site.flag_sizes)
    evidence = Evidence(ending, seen, expected, sorted(escaped), waits, before, after)
    rounds = _rounds(evidence)
    outcome, detail = judged(evidence, experiment, task.strategy_file, rounds[1:])
    remove(folder)
    report = ending.report
    return Measurement(
        case=case.id,
        block=turn.block,
        position=turn.position,
        attempt=turn.attempt,
        outcome=outcome,
        detail=kept_words(detail, Path.home()),
        took_s=ending.ended_s - ending.started_s,
        cold_start_s=report.ready_s - ending.started_s if report and report.ready_s else None,
        imports_s=report.ready_s - report.began_s if report and report.ready_s else None,
        warm_up=rounds[0] if rounds else None,
        rounds=rounds[1:],
        latency=encoded(timed.latencies_us for timed in report.rounds[1:]) if report else "",
        probes=peaks.seen,
        conditions=conditions(before, after) if before and after else None,
        cores=site.pinning.worker_processors,
        leak=_leak(ending),
    )


def _task(site: Site, opened: Opened, case: Case, folder: Path) -> Task:
    experiment = site.experiment
    return Task(
        strategy_file=experiment.strategies[case.strategy].file,
        client=None if case.client == NO_CLIENT else case.client,
        workers=case.workers,
        keep_alive=case.keep_alive,
        countries=case.countries.codes,
        repeat=case.countries.repeat,
        base_url=opened.url,
        rounds=experiment.rounds,
        folder=folder,
        reference=site.reference,
        request_timeout_s=experiment.request_timeout_s,
        authority=lay_out_authority(site.launcher.workspace, opened.authority),
        http2=case.profile.http2,
        probes=tuple(name for name in WORKER_PROBES if name in experiment.probes),
        largest_bytes=max(LARGEST_BYTES, *site.flag_sizes.values()),
        checks_content=any(fault.kind == "wrong_content" for fault in case.profile.faults),
    )


def _leak(ending: Ending) -> Leak | None:
    """Put together what was left behind within the worker, and what outlived it."""
    left = ending.report.left if ending.report else None
    return Leak(left.threads, left.descriptors, ending.processes_left) if left else None


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
