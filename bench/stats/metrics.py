"""Reduce a trial to one figure for each metric. Used by every comparison of two variants."""

import math
from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Final

from bench.model.comparison import BoundedFigure, Metric
from bench.model.latency_histogram import merge_histograms
from bench.model.results import Measurement

SUMMED: Final[frozenset[BoundedFigure]] = frozenset({"elapsed", "cpu", "errors"})
"""Figures that grow with the number of fetches in a round."""
PROBE_OF_METRIC: Final[Mapping[Metric, str]] = {"cpu": "cpu", "memory": "memory"}
"""The probe that a metric needs, of ``bench.model.cases.PROBES``; the others need none."""


def metric_value(trial: Measurement, metric: Metric) -> float | None:
    """Return a metric of a trial, in its unit.

    Return None if it was not measured or is zero.
    """
    value = _FIGURES[metric](trial) if trial.outcome == "ok" and trial.rounds else None
    return value if value is not None and value > 0 else None


def _elapsed(trial: Measurement) -> float:
    """Return the geometric mean of the faster half of the rounds, those without interruptions."""
    logs = sorted(math.log(round_.elapsed_s) for round_ in trial.rounds)
    return math.exp(fmean(logs[: math.ceil(len(logs) / 2)]))


def _p99(trial: Measurement) -> float | None:
    """Return the 99th percentile of the times of all fetches of the timed rounds."""
    latency = merge_histograms([trial.latency])
    return None if latency is None else latency.p99_s


def _cpu(trial: Measurement) -> float | None:
    """Return the mean processor time of a round, user and system."""
    spent = [
        round_.probes["cpu_user_s"] + round_.probes["cpu_system_s"]
        for round_ in trial.rounds
        if {"cpu_user_s", "cpu_system_s"} <= round_.probes.keys()
    ]
    return fmean(spent) if spent else None


def _memory(trial: Measurement) -> float | None:
    return trial.probes.get("memory_bytes")


_FIGURES: Final[Mapping[Metric, Callable[[Measurement], float | None]]] = {
    "elapsed": _elapsed,
    "p99": _p99,
    "cpu": _cpu,
    "memory": _memory,
}
