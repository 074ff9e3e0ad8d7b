"""From a case and a block to a measurement: open the weather, run a worker, ask the witness."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.ideal import ideal_s
from bench.model import NO_CLIENT, Case, Experiment, Measurement, Round, Witness
from bench.runner.flagserver import RunningServer
from bench.runner.launch import Launcher
from bench.runner.trial import REPORT_FD, Ending, run_worker, verdict
from bench.server.weather import plan
from bench.worker.protocol import Task, TimedRound


@dataclass(frozen=True, slots=True)
class Site:
    """What all trials of a run share.

    Attributes:
        flag_sizes: bytes of each flag the server has, by country.
        reference: folder with every flag as the server serves it, for verification.
    """

    experiment: Experiment
    launcher: Launcher
    flag_sizes: Mapping[str, int]
    reference: Path


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
    deadline_s = site.experiment.deadline_s
    ending = run_worker(site.launcher, task, deadline_s, keep=(server.pid,))
    seen = server.handle.close_trial(name)
    shutil.rmtree(folder)
    outcome, detail = verdict(ending, deadline_s)
    service_s = plan(case.profile, site.experiment.seed, block, case.countries.fetches, site.flag_sizes)
    rounds = _rounds(ending, ideal_s(service_s, case.workers), seen)
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


def _cold_start_s(ending: Ending) -> float | None:
    if ending.report is None or ending.report.ready_s is None:
        return None
    return ending.report.ready_s - ending.started_s


def _task(site: Site, server: RunningServer, case: Case, name: str, folder: Path) -> Task:
    experiment = site.experiment
    return Task(
        strategy_file=experiment.strategies[case.strategy].file,
        client=None if case.client == NO_CLIENT else case.client,
        workers=case.workers,
        keep_alive=case.keep_alive,
        countries=case.countries.codes,
        repeat=case.countries.repeat,
        base_url=f"{server.handle.base_url}/-/{name}",
        rounds=experiment.rounds,
        folder=folder,
        reference=site.reference,
        request_timeout_s=experiment.request_timeout_s,
        result_fd=REPORT_FD,
    )


def _rounds(ending: Ending, bound_s: float, seen: Mapping[int, Witness]) -> tuple[Round, ...]:
    reported = ending.report.rounds if ending.report else ()
    return tuple(_round(timed, bound_s, seen.get(number)) for number, timed in enumerate(reported))


def _round(timed: TimedRound, bound_s: float, witness: Witness | None) -> Round:
    return Round(timed.elapsed_s, bound_s, timed.fetches, timed.verified, witness)
