"""From trials that can be run to measurements: look around, run them, ask the witness, judge, tidy up."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import process_time

from bench.model.cases import Case
from bench.model.latency_histogram import encoded
from bench.model.results import Leak, Measurement, Round
from bench.runner.accounting import account
from bench.runner.authority import restore_authority
from bench.runner.expectation import Expectation, expect
from bench.runner.flagserver import RunningServer
from bench.runner.judging import Evidence, judged
from bench.runner.privacy import kept_words
from bench.runner.reference import restore_reference
from bench.runner.removal import remove
from bench.runner.site import Site
from bench.runner.staging import Staged
from bench.runner.surroundings import restore_surroundings, surroundings
from bench.runner.trial import Ending
from bench.system.conditions import Snapshot, conditions, cpu_s, snapshot


def observed(
    site: Site, server: RunningServer, trials: Sequence[Staged], run: Callable[[], Sequence[Ending]]
) -> tuple[Measurement, ...]:
    """Run trials that go on at the same time, and return what each yields, in their order.

    What the machine did meanwhile, and what lay where it should not, counts for all of them.

    Raises:
        ServerDiedError: the flag server is gone; whatever the workers said is then worth nothing.
    """
    workspace = site.launcher.workspace
    names = {trial.name for trial in trials}
    around = {name: each for name, each in surroundings(workspace).items() if name not in names}
    waits_before = server.handle.waits()
    before = _snapshot(site, server)
    endings = run()
    after = _snapshot(site, server)
    waits = server.handle.waits() - waits_before
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
            warm_up=_expected(site, trial, once(trial.case)) if trial.task.paced else None,
        )
        for trial, ending, statements in zip(trials, endings, seen, strict=True)
    ]
    return tuple(_measurement(site, *each) for each in zip(trials, evidence, strict=True))


def _measurement(site: Site, trial: Staged, evidence: Evidence) -> Measurement:
    ending, turn = evidence.ending, trial.turn
    rounds = _rounds(evidence)
    outcome, detail = judged(evidence, site.experiment, trial.task.strategy_file, rounds[1:])
    remove(trial.task.folder)
    report, before, after = ending.report, evidence.before, evidence.after
    return Measurement(
        case=trial.case.id,
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
        probes=trial.peaks.seen,
        conditions=conditions(before, after) if before and after else None,
        cores=site.pinning.worker_processors,
        leak=_leak(ending),
    )


def once(case: Case) -> Case:
    """Return a case as its paced warm-up has it, which asks each country once."""
    return replace(case, countries=replace(case.countries, repeat=1))


def _expected(site: Site, trial: Staged, case: Case) -> Expectation:
    return expect(case, site.experiment, trial.turn.block, site.flag_sizes)


def _leak(ending: Ending) -> Leak | None:
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


def _snapshot(site: Site, server: RunningServer) -> Snapshot | None:
    """Read the machine's counters, and those of the run's own processes."""
    launcher, pid = site.launcher, server.child.pid
    return snapshot(site.pinning.processors, lambda: launcher.cpu_s() + process_time() + cpu_s(pid))
