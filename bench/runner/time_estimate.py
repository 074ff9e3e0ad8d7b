"""The time estimate of a run before it starts: the ideal of each case, and the duration of its trials."""

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
from bench.model.lower_bound import CaseForecast
from bench.runner.expected_round import expected_round
from bench.runner.processes.launcher import Launcher
from bench.worker.protocol import AUTO_ROUNDS, AUTO_TIMED_S, FIXED_ROUNDS, FIXED_TIMED_S

_CPU_PER_FETCH_S: Final = 0.0007
"""Processor time of a Python HTTP client per fetch, roughly: aiohttp takes half of it, requests twice."""
_HANDLING_S: Final = 0.006
"""Seconds to prepare and tidy up a round, roughly."""
_HANDLING_PER_FETCH_S: Final = 0.0006
"""Seconds on top for each of the first fetches: their files, and the start of their threads or tasks."""
_FIRST_FETCHES: Final = 20
_IMPORT_LIMIT_S: Final = 60.0


def forecast_run(
    experiment: Experiment, flag_sizes: Mapping[str, int], launcher: Launcher
) -> tuple[CaseForecast, ...]:
    """Estimate every case, in the order of the config.

    The start of a worker with each client is measured on this machine, now.
    """
    clients = {case.client for case in experiment.cases}
    start_s = {client: _measure_start(launcher, client) for client in clients}
    return tuple(
        _forecast_case(case, experiment, flag_sizes, start_s[case.client]) for case in experiment.cases
    )


def expected_trial_s(case: Case, round_ideal_s: float, rounds: int | None, start_s: float) -> float:
    """Estimate the seconds of a trial: process start, warm-up and timed rounds.

    A worker computes between its fetches, and all of them share an interpreter.
    """
    fetches = len(case.countries.fetches)
    work_s = fetches * _CPU_PER_FETCH_S
    round_s = max(round_ideal_s + work_s / case.workers, work_s)
    return start_s + (1 + expected_rounds(rounds, round_s)) * (round_s + handling_s(fetches))


def handling_s(fetches: int) -> float:
    """Estimate the seconds that a worker takes to prepare and tidy up a call of ``download_many``."""
    return _HANDLING_S + min(fetches, _FIRST_FETCHES) * _HANDLING_PER_FETCH_S


def expected_rounds(asked: int | None, round_s: float) -> int:
    """Estimate the number of timed rounds of a trial from the seconds of one."""
    if asked is None:
        return min(AUTO_ROUNDS, max(1, math.ceil(AUTO_TIMED_S / round_s)))
    return max(asked, min(FIXED_ROUNDS, math.ceil(FIXED_TIMED_S / round_s)))


def _forecast_case(
    case: Case, experiment: Experiment, flag_sizes: Mapping[str, int], start_s: float
) -> CaseForecast:
    blocks = range(experiment.blocks)
    ideals_s = [expected_round(case, experiment, block, flag_sizes).ideal_s for block in blocks]
    trials_s = tuple(expected_trial_s(case, bound_s, experiment.rounds, start_s) for bound_s in ideals_s)
    return CaseForecast(case, median(ideals_s), trials_s, max(trials_s) > experiment.deadline_s)


def _measure_start(launcher: Launcher, client: str) -> float:
    """Time the imports of a worker; the second time, when all files are cached."""
    modules = ["bench.worker.main", *([] if client == NO_CLIENT else [f"strategies.clients.{client}"])]
    command = [sys.executable, "-P", "-c", f"import {', '.join(modules)}"]
    for _ in range(2):
        began_s = time.perf_counter()
        if _exit_status(launcher, command) != 0:
            raise SetupError(f"cannot import {' or '.join(modules)}", hint="import it by hand to see why")
        took_s = time.perf_counter() - began_s
    return took_s


def _exit_status(launcher: Launcher, command: Sequence[str]) -> int | None:
    """Run a program without input or output; return ``None`` if it does not end in time."""
    with Path(os.devnull).open("r+b") as null:
        pid = launcher.spawn(command, [null.fileno()] * 3, cwd=launcher.workspace)
    return launcher.exit_status(pid, _IMPORT_LIMIT_S)
