"""Runs as a series for Apache Otava, which finds the commits at which a figure has changed for good."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Final

from bench.errors import UsageError
from bench.model.results import Run
from bench.report.export.cases import entries_of
from bench.report.export.csv import escape_formula
from bench.report.export.run_metadata import began, commit_of

FILE: Final = "otava.csv"
"""Where the configuration looks for the series, in the folder in which Otava is called."""
TEST: Final = "flagbench"
"""What the series is called there."""


def to_otava(runs: Sequence[Run], commit: str = "") -> str:
    """Write one line a run, oldest first: when it began, its commit, and the median of each case in seconds.

    Cases that not all of the runs have alike are left out: Otava takes no empty cell.

    Args:
        runs: at least one.
        commit: stands for what a run says of its own.

    Raises:
        UsageError: no case was measured in all of them.
        UnreadableResultError: a run does not say when it began.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    shared = shared_names(runs)
    writer.writerow(["time", "commit", *map(escape_formula, shared)])
    for run in sorted(runs, key=began):
        medians = _medians(run)
        writer.writerow(
            [
                began(run).isoformat(timespec="seconds"),
                escape_formula(commit or commit_of(run)),
                *(medians[name] for name in shared),
            ]
        )
    return text.getvalue()


def to_otava_config(runs: Sequence[Run]) -> str:
    """Write the configuration with which Otava reads the series of these runs.

    Raises:
        UsageError: no case was measured in all of them.
    """
    import yaml

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

    One whose profile or number of fetches is not the same in all of them is another case of the same name: it
    would look like a change.

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
