"""Build the table of times along an axis, for runs whose cases are measured with several of its values."""

from collections.abc import Iterable
from functools import partial

from bench.model.text import printable
from bench.report.axis_conclusion import axis_crossovers
from bench.report.case_label import client_label, describe_conditions, workers_label
from bench.report.marks import explain_marks, mark_case
from bench.report.number_format import MISSING, format_duration
from bench.report.table import Column, Remark, Row, Section, Table
from bench.stats.series_over_axis import AxisSeries, AxisSummary


def axis_table(
    summary: AxisSummary, notes: Iterable[Remark] = (), *, is_one_of_several: bool = False
) -> Table:
    """Build a table with a row for each strategy and a column for each value of the axis.

    Args:
        summary: the series of one axis under equal conditions.
        notes: what is to be said below the crossovers.
        is_one_of_several: whether the title names these conditions, as there are others.
    """
    marks = dict.fromkeys(mark for ranking in summary.rankings.values() for mark in explain_marks(ranking))
    conditions = f"{describe_conditions(summary.common_case)}: " if is_one_of_several else ""
    return Table(
        title=f"{conditions}time by {summary.axis.label}",
        columns=(
            Column("strategy", "left"),
            Column("client", "left"),
            Column("workers"),
            *(Column(summary.axis.heading(value)) for value in summary.rankings),
        ),
        sections=(Section("", tuple(map(partial(_row, summary), summary.series))),),
        legend=" · ".join(marks),
        remarks=(*map(Remark, axis_crossovers(summary)), *notes),
        keys=3,
    )


def _row(summary: AxisSummary, series: AxisSeries) -> Row:
    case = series.case
    cells = (_cell(summary, series, value) for value in summary.rankings)
    return Row((printable(case.strategy), client_label(case), workers_label(case), *cells))


def _cell(summary: AxisSummary, series: AxisSeries, value: int) -> str:
    """Write the time at a value, with the signs that stand in front of rows elsewhere."""
    row = series.rows.get(value)
    if row is None:
        return ""
    if row.figures is not None:
        found = format_duration(row.figures.elapsed.estimate)
    else:
        found = row.failed[0].outcome if row.failed else MISSING
    mark = mark_case(summary.rankings[value], row)
    return f"{mark} {found}" if mark else found
