"""Every format by its name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bench.model.results import Run
from bench.report.export.bencher import to_bencher
from bench.report.export.cases import entries_of
from bench.report.export.csv import to_csv, to_trials_csv
from bench.report.export.github_action_benchmark import to_github_action_benchmark
from bench.report.export.hyperfine import to_hyperfine
from bench.report.export.json import to_json
from bench.report.export.junit import to_junit
from bench.report.export.markdown import to_markdown
from bench.report.export.openmetrics import to_openmetrics
from bench.report.export.otava import to_otava, to_otava_config
from bench.report.export.parquet import to_parquet
from bench.report.export.pyperf import to_pyperf
from bench.report.export.pytest_benchmark import to_pytest_benchmark

FORMATS: Final[Mapping[str, Callable[[Run], str]]] = {
    "markdown": to_markdown,
    "csv": to_csv,
    "json": to_json,
    "trials-csv": to_trials_csv,
    "junit": to_junit,
    "openmetrics": to_openmetrics,
    "pytest-benchmark": to_pytest_benchmark,
    "pyperf": to_pyperf,
    "hyperfine": to_hyperfine,
    "github-action-benchmark": to_github_action_benchmark,
    "bencher": to_bencher,
}
"""Of one run, as text."""
SERIES: Final[Mapping[str, Callable[[Sequence[Run]], str]]] = {
    "otava": to_otava,
    "otava-config": to_otava_config,
}
"""Of several runs, as text."""
BINARY: Final[Mapping[str, Callable[[Run], bytes]]] = {"parquet": to_parquet}
"""Of one run, as bytes."""
WITHOUT_FIGURES: Final = frozenset({"markdown", "json", "junit"})
"""Formats that say something of a run in which nothing succeeded."""


def export_run(runs: Sequence[Run], form: str, commit: str = "") -> str | bytes:
    """Write a run, or several of them where the format is of a series.

    Raises:
        UsageError: nothing in them succeeded, or the format has no place for something.
    """
    if form not in WITHOUT_FIGURES:
        for run in runs:
            entries_of(run)
    if form == "otava":
        return to_otava(runs, commit)
    if form in SERIES:
        return SERIES[form](runs)
    (run,) = runs
    return BINARY[form](run) if form in BINARY else FORMATS[form](run)
