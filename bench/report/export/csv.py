"""Export a run as CSV: a line for each case, or for each round. Nothing is rounded."""

import csv
import io
from collections.abc import Iterable
from typing import Any, Final

from bench.model.results import Run
from bench.model.text import printable
from bench.report.export.case_rows import CASES
from bench.report.export.columns import ExportTable
from bench.report.export.trial_rows import TRIALS

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")
"""Signs that begin a formula in a spreadsheet; the last four are wide forms of the first four."""


def to_csv(run: Run) -> str:
    """Write one line per case; times in seconds, shares as fractions."""
    return _table_csv(CASES, run)


def to_trials_csv(run: Run) -> str:
    """Write one line a round; times in seconds."""
    return _table_csv(TRIALS, run)


def _table_csv(table: ExportTable[Any], run: Run) -> str:
    columns = table.columns.values()
    return csv_text(table.columns, ([column.value(row) for column in columns] for row in table.rows(run)))


def csv_text(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Write CSV that is safe to open in a spreadsheet; a cell with None is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in (header, *rows):
        writer.writerow([escape_formula(value) for value in row])
    return text.getvalue()


def escape_formula(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula, and a terminal from obeying it."""
    if not isinstance(value, str):
        return value
    return f"'{printable(value)}" if value.startswith(_FORMULA_STARTS) else printable(value)
