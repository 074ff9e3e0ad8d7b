"""What two sides are compared by: one figure of a trial for each metric."""

import math
from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Final

from bench.model.comparison import BoundedFigure, Metric
from bench.model.latency_histogram import merge_histograms
from bench.model.results import Measurement

UNITS: Final[Mapping[Metric, str]] = {"elapsed": "s", "p99": "s", "cpu": "s", "memory": "bytes"}
SUMMED: Final[frozenset[BoundedFigure]] = frozenset({"elapsed", "cpu", "errors"})
"""Figures that are the greater the more is fetched in a round."""
PROBES: Final[Mapping[Metric, str]] = {"cpu": "cpu", "memory": "memory"}
"""The probe that a metric takes, of ``bench.model.cases.PROBES``; the others take none."""


def metric_value(trial: Measurement, metric: Metric) -> float | None:
    """Return a metric of a trial, in its unit; ``None`` where it was not measured, or is nothing."""
    value = _FIGURES[metric](trial) if trial.outcome == "ok" and trial.rounds else None
    return value if value is not None and value > 0 else None


def _elapsed(trial: Measurement) -> float:
    """Return the geometric mean of the faster half of the rounds: what it takes where nothing interrupts."""
    logs = sorted(math.log(round_.elapsed_s) for round_ in trial.rounds)
    return math.exp(fmean(logs[: math.ceil(len(logs) / 2)]))


def _p99(trial: Measurement) -> float | None:
    """Return the 99th percentile of all fetches of the timed rounds, which the slowest of them shape."""
    latency = merge_histograms([trial.latency])
    return None if latency is None else latency.p99_s


def _cpu(trial: Measurement) -> float | None:
    """Return the processor time of a round, user and system, on average."""
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
