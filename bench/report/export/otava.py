"""Export runs as a series for Apache Otava.

That tool finds commits that changed a figure for good.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import yaml

from bench.errors import UsageError
from bench.model.results import Run
from bench.report.export.cases import entries_of
from bench.report.export.csv import csv_text, escape_formula
from bench.report.export.run_metadata import commit_of, start_of

FILE: Final = "otava.csv"
"""The file of the series, relative to Otava's working folder."""
TEST: Final = "flagbench"
"""The name of the series in the configuration."""


def to_otava(runs: Sequence[Run]) -> str:
    """Write a line for each run, oldest first.

    Each has the start, the commit, and the median of each case in seconds. Cases that differ between the runs
    are left out: Otava takes no empty cell.

    Raises:
        UsageError: no case was measured in all of them.
        UnreadableResultError: a run does not say when it began.
    """
    shared = shared_names(runs)
    rows = (
        (start_of(run).isoformat(timespec="seconds"), commit_of(run), *(medians[name] for name in shared))
        for run in sorted(runs, key=start_of)
        for medians in [_medians(run)]
    )
    return csv_text(("time", "commit", *shared), rows)


def to_otava_config(runs: Sequence[Run]) -> str:
    """Write Otava's configuration for the series of these runs.

    Raises:
        UsageError: no case was measured in all of them.
    """
    names = [str(escape_formula(name)) for name in shared_names(runs)]
    test = {
        "type": "csv",
        "file": FILE,
        "time_column": "time",
        "attributes": ["commit"],
        "metrics": {name: {"column": name, "direction": -1} for name in names},
    }
    return yaml.safe_dump({"tests": {TEST: test}}, sort_keys=False)


def shared_names(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the cases that succeeded in every run, in the order of the last.

    A case with another profile or another number of fetches in some run is left out: it would look like a
    change.

    Raises:
        UsageError: there are none.
    """
    cases = [{entry.name: entry.case for entry in entries_of(run)} for run in runs]
    shared = tuple(name for name, case in cases[-1].items() if all(each.get(name) == case for each in cases))
    if not shared:
        raise UsageError("the runs share no case that succeeded in each of them", hint="export fewer of them")
    return shared


def _medians(run: Run) -> Mapping[str, float]:
    return {entry.name: entry.median.estimate for entry in entries_of(run)}
