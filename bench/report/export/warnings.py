"""What someone who exports a run should know of it, because the file does not say so."""

from collections.abc import Iterator, Sequence
from typing import Final

from bench.model.results import Run
from bench.model.text import plural, printable
from bench.report.export.cases import entries_of, entry_names, failed_trials
from bench.report.export.otava import shared_names

NAMING_FAILURES: Final = frozenset(
    {"markdown", "csv", "json", "junit", "openmetrics", "trials-csv", "parquet"}
)
"""Formats in which failed trials have a place of their own."""


def export_warnings(runs: Sequence[Run], form: str) -> Iterator[str]:
    """Warn of runs that were interrupted, and of what a format leaves out, a line each."""
    for run in runs:
        if run.status == "partial":
            yield f"{printable(run.name)} is partial: it was interrupted, and more trials were due"
        if form not in NAMING_FAILURES:
            yield from _failures(run)
    if form.startswith("otava"):
        yield from _not_shared(runs)


def _failures(run: Run) -> Iterator[str]:
    names = entry_names(run)
    for case in run.cases:
        trials = [trial for trial in run.trials if trial.case == case.id]
        failed = failed_trials(trials)
        whole = "" if any(trial.outcome == "ok" for trial in trials) else ", and the case with them"
        if failed:
            yield f"{names[case.id]}: {plural(len(failed), 'failed trial')} left out{whole}"
        elif whole:
            yield f"{names[case.id]}: left out, as it was not measured"


def _not_shared(runs: Sequence[Run]) -> Iterator[str]:
    shared = shared_names(runs)
    known = dict.fromkeys(entry.name for run in runs for entry in entries_of(run))
    for name in known:
        if name not in shared:
            yield f"{name}: left out, as not all runs have the same"
