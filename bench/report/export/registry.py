"""List every format of `export`, and export runs in one of them.

To add a format, write its function in a file of its own and add a line to `FORMATS`; the tests then name
the other places: docs/exports.md, tests/e2e/test_exports.py and `EXACT` in tests/unit/test_contract.py.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from bench.model.results import Run
from bench.model.text import plural, printable
from bench.report.export.bencher import to_bencher
from bench.report.export.cases import entries_of, entry_names, failed_trials, trials_by_case
from bench.report.export.chrome_trace import to_chrome_trace
from bench.report.export.csv import to_csv, to_trials_csv
from bench.report.export.github_action_benchmark import to_github_action_benchmark
from bench.report.export.hyperfine import to_hyperfine
from bench.report.export.json import to_json
from bench.report.export.junit import to_junit
from bench.report.export.markdown import to_markdown
from bench.report.export.openmetrics import to_openmetrics
from bench.report.export.otava import shared_names, to_otava, to_otava_config
from bench.report.export.parquet import to_parquet
from bench.report.export.pyperf import to_pyperf
from bench.report.export.pytest_benchmark import to_pytest_benchmark

Content: TypeAlias = str | bytes


@dataclass(frozen=True, slots=True)
class Format:
    """A format of `export`.

    Attributes:
        write: turns a run into text, or into bytes that no terminal can show.
        is_series: whether ``write`` takes a sequence of runs instead.
        shows_failures: whether failed trials have a place of their own in it.
        needs_figures: whether it says nothing of a run in which nothing succeeded.
        is_elapsed_only: whether elapsed times are all that it has of a case, or what it is about.
    """

    write: Callable[..., Content]
    is_series: bool = False
    shows_failures: bool = False
    needs_figures: bool = True
    is_elapsed_only: bool = False


FORMATS: Final[Mapping[str, Format]] = {
    "pytest-benchmark": Format(to_pytest_benchmark, is_elapsed_only=True),
    "pyperf": Format(to_pyperf, is_elapsed_only=True),
    "hyperfine": Format(to_hyperfine, is_elapsed_only=True),
    "github-action-benchmark": Format(to_github_action_benchmark, is_elapsed_only=True),
    "bencher": Format(to_bencher, is_elapsed_only=True),
    "otava": Format(to_otava, is_series=True, is_elapsed_only=True),
    "otava-config": Format(to_otava_config, is_series=True),
    "junit": Format(to_junit, shows_failures=True, needs_figures=False),
    "openmetrics": Format(to_openmetrics, shows_failures=True),
    "csv": Format(to_csv, shows_failures=True),
    "trials-csv": Format(to_trials_csv, shows_failures=True),
    "chrome-trace": Format(to_chrome_trace),
    "parquet": Format(to_parquet, shows_failures=True),
    "json": Format(to_json, shows_failures=True, needs_figures=False),
    "markdown": Format(to_markdown, shows_failures=True, needs_figures=False),
}


def export_runs(runs: Sequence[Run], name: str) -> Content:
    """Write runs in the format of this name.

    A format that is not of a series takes exactly one.

    Raises:
        UsageError: nothing in them succeeded, or the format has no place for something.
    """
    form = FORMATS[name]
    if form.needs_figures:
        for run in runs:
            entries_of(run)
    return form.write(runs) if form.is_series else form.write(*runs)


def export_warnings(runs: Sequence[Run], name: str) -> Iterator[str]:
    """Write a line for each interrupted run, and for everything that the format leaves out."""
    form = FORMATS[name]
    for run in runs:
        if run.status == "partial":
            yield f"{printable(run.name)} is partial: it was interrupted, and more trials were due"
        if not form.shows_failures:
            yield from _omitted_failures(run)
        if form.is_elapsed_only and any(case.rate for case in run.cases):
            yield (
                f"{printable(run.name)} has an open loop, whose schedule decides the times of this format; "
                "csv, parquet and json have its p99"
            )
    if form.is_series:
        yield from _omitted_cases(runs)


def _omitted_failures(run: Run) -> Iterator[str]:
    names, trials = entry_names(run), trials_by_case(run)
    for case in run.cases:
        failed = failed_trials(trials[case.id])
        all_failed = not any(trial.outcome == "ok" for trial in trials[case.id])
        if failed:
            case_too = ", and the case with them" if all_failed else ""
            yield f"{names[case.id]}: {plural(len(failed), 'failed trial')} left out{case_too}"
        elif all_failed:
            yield f"{names[case.id]}: left out, as it was not measured"


def _omitted_cases(runs: Sequence[Run]) -> Iterator[str]:
    shared = shared_names(runs)
    for name in dict.fromkeys(entry.name for run in runs for entry in entries_of(run)):
        if name not in shared:
            yield f"{name}: left out, as not all runs have the same"
