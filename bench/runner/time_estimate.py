"""What a run will be like, before it starts: the ideal of each case, and the time it will take."""

import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from bench.errors import SetupError
from bench.model.cases import NO_CLIENT, Case, Experiment
from bench.model.flags import served_flags
from bench.model.lower_bound import CaseForecast
from bench.runner.expected_round import expected_round
from bench.runner.processes.launcher import Launcher, start_supervisor
from bench.worker.protocol import AUTO_ROUNDS, AUTO_TIMED_S, FIXED_ROUNDS, FIXED_TIMED_S

_CPU_PER_FETCH_S: Final = 0.0007
"""What Python HTTP clients need for a fetch, roughly: aiohttp half of it, requests twice as much."""
_HANDLING_S: Final = 0.006
"""What preparing and tidying up a round take beside the round itself, roughly."""
_HANDLING_PER_FETCH_S: Final = 0.0006
"""What comes on top for each of the first fetches: their files, and starting who fetches them."""
_FIRST_FETCHES: Final = 20
_IMPORT_PATIENCE_S: Final = 60.0


def forecast_run(experiment: Experiment) -> tuple[CaseForecast, ...]:
    """Work out the outlook of every case, in the order of the config.

    How long a worker takes to start with each client is measured on this machine, now.
    """
    sizes = {code: len(flag) for code, flag in served_flags(experiment.flags_dir).items()}
    with start_supervisor() as launcher:
        start_s = {
            client: _start_s(launcher, client) for client in {case.client for case in experiment.cases}
        }
    return tuple(_outlook(case, experiment, sizes, start_s[case.client]) for case in experiment.cases)


def expected_trial_s(case: Case, round_ideal_s: float, rounds: int | None, start_s: float) -> float:
    """Predict how long one trial takes, in seconds: process start, warm-up and timed rounds.

    A worker is at work between its fetches, and all of them share an interpreter.
    """
    fetches = len(case.countries.fetches)
    work_s = fetches * _CPU_PER_FETCH_S
    round_s = max(round_ideal_s + work_s / case.workers, work_s)
    handling_s = _HANDLING_S + min(fetches, _FIRST_FETCHES) * _HANDLING_PER_FETCH_S
    return start_s + (1 + expected_rounds(rounds, round_s)) * (round_s + handling_s)


def expected_rounds(asked: int | None, round_s: float) -> int:
    """Predict how many rounds a worker times if each takes so long."""
    if asked is None:
        return min(AUTO_ROUNDS, max(1, math.ceil(AUTO_TIMED_S / round_s)))
    return max(asked, min(FIXED_ROUNDS, math.ceil(FIXED_TIMED_S / round_s)))


def _outlook(case: Case, experiment: Experiment, sizes: Mapping[str, int], start_s: float) -> CaseForecast:
    ideals_s = [expected_round(case, experiment, block, sizes).ideal_s for block in range(experiment.blocks)]
    trials_s = tuple(expected_trial_s(case, bound_s, experiment.rounds, start_s) for bound_s in ideals_s)
    return CaseForecast(case, median(ideals_s), trials_s, max(trials_s) > experiment.deadline_s)


def _start_s(launcher: Launcher, client: str) -> float:
    """Time what every worker does before its first round; the second time, when all files are cached."""
    modules = ["bench.worker.main", *([] if client == NO_CLIENT else [f"strategies.clients.{client}"])]
    command = [sys.executable, "-P", "-c", f"import {', '.join(modules)}"]
    for _ in range(2):
        began_s = time.perf_counter()
        if _status(launcher, command) != 0:
            raise SetupError(f"cannot import {' or '.join(modules)}", hint="import it by hand to see why")
        took_s = time.perf_counter() - began_s
    return took_s


def _status(launcher: Launcher, command: Sequence[str]) -> int | None:
    """Run a program to its end, without input or output; ``None`` if that does not come."""
    with Path(os.devnull).open("r+b") as void:
        nothing = void.fileno()
        pid = launcher.spawn(command, [nothing] * 3, cwd=launcher.workspace)
    return launcher.exit_status(pid, _IMPORT_PATIENCE_S)
