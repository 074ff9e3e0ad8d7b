"""From a case and a block to a measurement: open the weather, run a worker, ask the witness, and judge."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.model import NO_CLIENT, Case, Experiment, Measurement, Outcome, Round, Witness
from bench.runner.expectation import Expectation, expect, flaw
from bench.runner.flagserver import RunningServer
from bench.runner.launch import Launcher
from bench.runner.reference import restore_reference
from bench.runner.trial import Ending, run_worker, verdict
from bench.server.paths import trial_url
from bench.worker.protocol import Task, TimedRound


@dataclass(frozen=True, slots=True)
class Site:
    """What all trials of a run share.

    Attributes:
        flags: every flag as the server serves it, by country.
        reference: folder with the same as files, for verification.
    """

    experiment: Experiment
    launcher: Launcher
    flags: Mapping[str, bytes]
    reference: Path

    @property
    def flag_sizes(self) -> Mapping[str, int]:
        """Bytes of each flag."""
        return {code: len(flag) for code, flag in self.flags.items()}


def measure(site: Site, server: RunningServer, case: Case, block: int, position: int) -> Measurement:
    """Run one trial.

    Raises:
        ServerDiedError: the flag server is gone; whatever the worker said is then worth nothing.
    """
    name = f"b{block}p{position}"
    server.handle.open_trial(name, case.profile, block)
    folder = site.launcher.workspace / name
    folder.mkdir()
    task = _task(site, server, case, name, folder)
    ending = run_worker(site.launcher, task, site.experiment.deadline_s, keep=(server.child.pid,))
    seen = server.handle.close_trial(name)
    expected = expect(case, site.experiment, block, site.flag_sizes)
    outcome, detail = _judged(site, ending, task, seen, expected)
    shutil.rmtree(folder, ignore_errors=True)
    rounds = _rounds(ending, expected, seen)
    return Measurement(
        case=case.id,
        block=block,
        position=position,
        outcome=outcome,
        detail=detail,
        cold_start_s=_cold_start_s(ending),
        warm_up=rounds[0] if rounds else None,
        rounds=rounds[1:],
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
    )


def _judged(
    site: Site, ending: Ending, task: Task, seen: Mapping[int, Witness], expected: Expectation
) -> tuple[Outcome, str]:
    """Say how a trial ended: by what it left, by its own account, and by what the server saw."""
    if changed := restore_reference(site.reference, site.flags):
        return "escape", f"changed files outside its folder: {', '.join(changed[:5])}"
    outcome, detail = verdict(ending, site.experiment.deadline_s, task.strategy_file)
    if outcome != "ok" or ending.report is None:
        return outcome, detail
    for number, timed in enumerate(ending.report.rounds):
        if (found := flaw(timed, seen.get(number), expected)) is not None:
            return found
    return "ok", ""


def _cold_start_s(ending: Ending) -> float | None:
    if ending.report is None or ending.report.ready_s is None:
        return None
    return ending.report.ready_s - ending.started_s


def _rounds(ending: Ending, expected: Expectation, seen: Mapping[int, Witness]) -> tuple[Round, ...]:
    reported = ending.report.rounds if ending.report else ()
    return tuple(_round(timed, expected, seen.get(number)) for number, timed in enumerate(reported))


def _round(timed: TimedRound, expected: Expectation, witness: Witness | None) -> Round:
    return Round(timed.elapsed_s, expected.ideal_s, timed.fetches, timed.verified, witness)
