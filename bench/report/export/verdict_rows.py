"""List the verdicts of a comparison as one table for data frames."""

from typing import Final

from bench.model.results import Run
from bench.report.export.columns import ExportColumn, ExportTable
from bench.stats.verdicts import MetricVerdict, run_verdicts


def verdict_rows(run: Run) -> tuple[MetricVerdict, ...]:
    """Return the verdict on each metric of each case.

    Raises:
        UsageError: the run compares no variants.
        UnreadableResultError: the stored comparison does not fit the run's cases.
    """
    return run_verdicts(run).metrics


VERDICTS: Final = ExportTable(
    {
        "case": ExportColumn("text", "case"),
        "metric": ExportColumn("text", "metric"),
        "verdict": ExportColumn("text", "verdict"),
        "ratio": ExportColumn("number", "ratio.estimate"),
        "ratio_low": ExportColumn("number", "ratio.low"),
        "ratio_high": ExportColumn("number", "ratio.high"),
        "blocks": ExportColumn("integer", "blocks"),
        "margin": ExportColumn("number", "margin"),
        "base": ExportColumn("number", "base"),
        "candidate": ExportColumn("number", "candidate"),
        "why": ExportColumn("text", "why"),
    },
    verdict_rows,
)
"""A row for each metric of each case; ratios are candidate ÷ base."""
