"""Build the table of times by number of downloads, for runs whose cases are measured with several."""

from collections.abc import Iterable
from functools import partial

from bench.model.text import printable
from bench.report.case_label import client_label, describe_fetch_conditions, workers_label
from bench.report.counts_conclusion import count_crossovers
from bench.report.marks import explain_marks, mark_case
from bench.report.number_format import MISSING, format_duration
from bench.report.table import Column, Remark, Row, Section, Table
from bench.stats.download_counts import CountSeries, DownloadCounts


def counts_table(
    counts: DownloadCounts, notes: Iterable[Remark] = (), *, is_one_of_several: bool = False
) -> Table:
    """Build a table with a row for each strategy and a column for each number of downloads.

    Args:
        counts: those of one profile and CPU work.
        notes: what is to be said below the crossovers.
        is_one_of_several: whether the title names profile and work, as there are others.
    """
    marks = dict.fromkeys(mark for ranking in counts.rankings.values() for mark in explain_marks(ranking))
    conditions = f"{describe_fetch_conditions(counts.series[0].case)}: " if is_one_of_several else ""
    return Table(
        title=f"{conditions}time by number of downloads",
        columns=(
            Column("strategy", "left"),
            Column("client", "left"),
            Column("workers"),
            *(Column(f"{count:,}") for count in counts.rankings),
        ),
        sections=(Section("", tuple(map(partial(_row, counts), counts.series))),),
        legend=" · ".join(marks),
        remarks=(*map(Remark, count_crossovers(counts)), *notes),
        keys=3,
    )


def _row(counts: DownloadCounts, series: CountSeries) -> Row:
    case = series.case
    cells = (_cell(counts, series, count) for count in counts.rankings)
    return Row((printable(case.strategy), client_label(case), workers_label(case), *cells))


def _cell(counts: DownloadCounts, series: CountSeries, count: int) -> str:
    """Write the time with so many downloads, with the signs that stand in front of rows elsewhere."""
    row = series.rows.get(count)
    if row is None:
        return ""
    if row.figures is not None:
        found = format_duration(row.figures.elapsed.estimate)
    else:
        found = row.failed[0].outcome if row.failed else MISSING
    mark = mark_case(counts.rankings[count], row)
    return f"{mark} {found}" if mark else found
