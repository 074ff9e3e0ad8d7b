"""Tables that only a report has: discarded trials, config, machine and noise."""

import json
from collections.abc import Iterator, Mapping
from statistics import fmean, median
from typing import Any, Final

from bench.model.results import Measurement, Run
from bench.model.text import plural, printable
from bench.report.case_label import describe_case
from bench.report.number_format import MISSING, format_number, format_percent
from bench.report.table import Column, Remark, Row, Section, Table
from bench.stats.retries import is_final

_FIELDS: Final = (Column("setting", "left"), Column("value", "left"))
_HIDDEN: Final = frozenset({"source", "contest", "variants", "flags", "strategies"})
"""Settings that are shown elsewhere, or are only hashes."""


def discarded_table(run: Run) -> Iterator[Table]:
    """Return the table of the trials that were discarded, if there are any, with the reason of each."""
    names = {case.id: describe_case(case) for case in run.cases}
    rows = tuple(
        Row(
            (
                names[trial.case],
                str(trial.block + 1),
                str(trial.attempt + 1),
                printable(trial.detail),
                "given up" if is_final(trial) else "repeated",
            )
        )
        for trial in run.trials
        if trial.outcome == "invalid"
    )
    if rows:
        headings = (Column("case", "left"), Column("block"), Column("attempt"), Column("reason", "left"))
        yield Table("discarded trials", (*headings, Column("then", "left")), (Section("", rows),))


def config_table(run: Run) -> Table:
    """Return the settings of a run: those that it was measured with, and the config as it was written."""
    settings = {name: value for name, value in run.config.items() if name not in _HIDDEN}
    written = run.config.get("source")
    rows = [*_rows(settings), *(_rows(written, "as written: ") if isinstance(written, Mapping) else ())]
    return Table("config", _FIELDS, (Section("", tuple(rows)),))


def machine_table(run: Run) -> Table:
    """Return the facts about machine and software, as they were when the run began."""
    return Table("machine", _FIELDS, (Section("", tuple(_rows(run.environment))),))


def noise_table(run: Run) -> Table:
    """Return how busy the machine was while the trials ran, and how often trials were repeated."""
    known = [trial for trial in run.trials if trial.conditions is not None]
    rows = [Row((name, *cells)) for name, cells in _load_rows(known)]
    repeated = sum(not is_final(trial) for trial in run.trials)
    columns = (Column("load", "left"), Column("median"), Column("mean"), Column("most"))
    return Table(
        "noise",
        columns,
        (Section("", tuple(rows)),) if rows else (),
        remarks=(Remark(f"{plural(repeated, 'trial')} repeated because of a disturbance.", "note"),),
    )


def _load_rows(trials: list[Measurement]) -> Iterator[tuple[str, tuple[str, str, str]]]:
    figures: dict[str, list[float]] = {
        "cores used by other processes": [each.conditions.strangers for each in trials if each.conditions],
        "cores stolen by the hypervisor": [each.conditions.stolen for each in trials if each.conditions],
        "idle cores": [
            each.conditions.idle for each in trials if each.conditions and each.conditions.idle is not None
        ],
    }
    for name, values in figures.items():
        if values:
            found = (median(values), fmean(values), max(values))
            low, mean, most = (format_number(abs(value)) for value in found)
            yield name, (low, mean, most)
    disturbed = [each for each in trials if each.outcome == "ok" and each.detail]
    if trials:
        yield (
            "trials kept although disturbed",
            (MISSING, format_percent(len(disturbed) / len(trials)), MISSING),
        )


def _rows(facts: Mapping[str, Any], prefix: str = "") -> Iterator[Row]:
    """Yield a row for each fact; facts within facts are named by their path."""
    for name, value in facts.items():
        if isinstance(value, Mapping) and value:
            yield from _rows(value, f"{prefix}{printable(str(name))} ")
        else:
            yield Row((printable(f"{prefix}{name}"), _write(value)))


def _write(value: object) -> str:
    if value is None or value in ("", [], {}):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return printable(text)
