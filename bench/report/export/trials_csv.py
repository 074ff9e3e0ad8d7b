"""The trials of a run as CSV (RFC 4180)."""

import csv
import io

from bench.model.results import Run
from bench.report.export.cells import safe
from bench.report.export.rows import COLUMNS, rows_of


def to_trials_csv(run: Run) -> str:
    """Write one line a round; times in seconds, nothing rounded, and nothing where nothing was measured."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows_of(run):
        writer.writerow([safe(column.value(row)) for column in COLUMNS.values()])
    return text.getvalue()
