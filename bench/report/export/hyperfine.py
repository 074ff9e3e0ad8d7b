"""Export a run as hyperfine does with ``--export-json``."""

from statistics import fmean, median, stdev
from typing import Any

from bench.errors import UsageError
from bench.model.results import Run
from bench.model.text import printable
from bench.report.export.cases import CaseEntry, entries_of, parameters
from bench.report.export.json import strict_json


def to_hyperfine(run: Run) -> str:
    """Write one result for each case, with one of its *times* for each block; in seconds.

    Raises:
        UsageError: the processor time was not measured, which the format requires.
    """
    return strict_json({"results": [_result(run, entry) for entry in entries_of(run)]})


def _result(run: Run, entry: CaseEntry) -> dict[str, Any]:
    values_s = entry.values_s
    return {
        "command": entry.name,
        "mean": fmean(values_s),
        "stddev": stdev(values_s) if len(values_s) > 1 else None,
        "median": median(values_s),
        "user": _mean_cpu_s(run, entry, "cpu_user_s"),
        "system": _mean_cpu_s(run, entry, "cpu_system_s"),
        "min": min(values_s),
        "max": max(values_s),
        "times": list(values_s),
        "exit_codes": [0] * len(values_s),
        "parameters": {name: str(value) for name, value in parameters(entry.case).items()},
    }


def _mean_cpu_s(run: Run, entry: CaseEntry, probe: str) -> float:
    """Return the mean processor time of a round."""
    seen = [
        round_.probes[probe] for trial in entry.trials for round_ in trial.rounds if probe in round_.probes
    ]
    if not seen:
        raise UsageError(
            f"{printable(run.name)} has no processor time of {entry.name}, which hyperfine's format requires",
            hint="run it with the probe `cpu`, or choose another format",
        )
    return fmean(seen)
