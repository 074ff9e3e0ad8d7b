"""Export a run as pytest-benchmark stores its own, for ``pytest-benchmark compare``."""

from collections.abc import Sequence
from statistics import fmean, median, stdev
from typing import Any

from bench.model.results import Run
from bench.model.text import printable
from bench.report.case_label import describe_conditions
from bench.report.export.cases import CaseEntry, entries_of, parameters
from bench.report.export.json import strict_json
from bench.report.export.run_metadata import commit_of, environment_texts, is_modified


def to_pytest_benchmark(run: Run) -> str:
    """Write one benchmark for each case, with one of its *rounds* for each block; in seconds."""
    facts = environment_texts(run)
    document = {
        "machine_info": facts,
        "commit_info": {"id": commit_of(run) or None, "dirty": is_modified(run)},
        "benchmarks": [_benchmark(entry) for entry in entries_of(run)],
        "datetime": printable(run.started),
        "version": f"flagbench {facts['flagbench']}" if "flagbench" in facts else "flagbench",
    }
    return strict_json(document)


def _benchmark(entry: CaseEntry) -> dict[str, Any]:
    params = parameters(entry.case)
    return {
        "group": describe_conditions(entry.case),
        "name": entry.name,
        "fullname": entry.name,
        "params": params,
        "param": entry.name,
        "extra_info": {"failed_trials": entry.failed},
        "options": {},
        "stats": _stats(entry.values_s),
    }


def _stats(values_s: Sequence[float]) -> dict[str, Any]:
    """Compute the statistics of pytest-benchmark by its own definitions."""
    ordered = sorted(values_s)
    mean, spread = fmean(ordered), stdev(ordered) if len(ordered) > 1 else 0.0
    q1, q3 = _quartile(ordered, 0.25), _quartile(ordered, 0.75)
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    within = [value for value in ordered if low <= value <= high]
    beyond = sum(not mean - spread <= value <= mean + spread for value in ordered)
    return {
        "min": ordered[0],
        "max": ordered[-1],
        "mean": mean,
        "stddev": spread,
        "rounds": len(ordered),
        "median": median(ordered),
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": len(ordered) - len(within),
        "stddev_outliers": beyond,
        "outliers": f"{beyond};{len(ordered) - len(within)}",
        "ld15iqr": within[0],
        "hd15iqr": within[-1],
        "ops": 1 / mean,
        "total": sum(ordered),
        "data": list(values_s),
        "iterations": 1,
    }


def _quartile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile by definition 5 of Hyndman & Fan (1996), with the same result as pytest-benchmark."""
    position = min(max(len(ordered) * share - 0.5, 0), len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)
