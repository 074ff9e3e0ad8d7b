"""Build the table of 99th percentiles by rate, for runs whose cases are measured at several."""

from collections.abc import Iterable
from functools import partial

from bench.model.text import printable
from bench.report.case_label import client_label, workers_label
from bench.report.marks import explain_marks
from bench.report.number_format import MISSING, format_duration, format_rate
from bench.report.rates_conclusion import describe_rates_conditions, rates_conclusion
from bench.report.table import Column, Remark, Row, Section, Table
from bench.stats.case_summary import CaseSummary
from bench.stats.offered_rates import HighestRate, OfferedRates, RateSeries


def rates_table(
    rates: OfferedRates, notes: Iterable[Remark] = (), *, is_one_of_several: bool = False
) -> Table:
    """Build a table with a row for each strategy and a column for each rate.

    Args:
        rates: those of one profile, CPU work and number of downloads.
        notes: what is to be said below the conclusion.
        is_one_of_several: whether the title names these conditions, as there are others.
    """
    conditions = f"{describe_rates_conditions(rates)}: " if is_one_of_several else ""
    return Table(
        title=f"{conditions}p99 by rate, from when a fetch was due",
        columns=(
            Column("strategy", "left"),
            Column("client", "left"),
            Column("workers"),
            *(Column(format_rate(rate)) for rate in rates.rankings),
            Column("highest\nkept"),
        ),
        sections=(Section("", tuple(map(partial(_row, rates), rates.series))),),
        legend=" · ".join(_explain_signs(rates)),
        remarks=(*map(Remark, rates_conclusion(rates)), *notes),
        keys=3,
    )


def _row(rates: OfferedRates, series: RateSeries) -> Row:
    case = series.case
    cells = (_cell(series.rows.get(rate)) for rate in rates.rankings)
    names = (printable(case.strategy), client_label(case), workers_label(case))
    return Row((*names, *cells, write_highest(series.highest)))


def _cell(row: CaseSummary | None) -> str:
    """Write the 99th percentile, with a sign if the case is saturated or it cannot be told."""
    if row is None:
        return ""
    if row.open_loop is None or (p99 := row.open_loop.p99) is None:
        return row.failed[0].outcome if row.failed else MISSING
    return f"{_signs(row)}{format_duration(p99.estimate)}"


def _signs(row: CaseSummary) -> str:
    """Return the signs in front of a cell, with a space behind them."""
    saturation = None if row.open_loop is None else row.open_loop.saturation
    found = "^" if saturation == "saturated" else "?" if saturation == "undecided" else ""
    found += "!" if row.failures else ""
    return f"{found} " if found else ""


def _explain_signs(rates: OfferedRates) -> list[str]:
    rows = [row for ranking in rates.rankings.values() for row in ranking.rows]
    signs = "".join(map(_signs, rows))
    explanations = (
        ("^" in signs, "^ saturated"),
        ("?" in signs, "? cannot be told whether it keeps up"),
    )
    marks = (mark for ranking in rates.rankings.values() for mark in explain_marks(ranking))
    failures = dict.fromkeys(mark for mark in marks if mark.startswith("!"))
    return [*(words for is_used, words in explanations if is_used), *failures]


def write_highest(found: HighestRate) -> str:
    """Write the highest rate that a case keeps: a limit if none is higher, and ? if it may be more."""
    rate = "none" if found.kept is None else format_rate(found.kept)
    if found.undecided is not None:
        return "?" if found.kept is None else f"{rate} ?"
    return f"≥ {rate}" if found.is_last and found.kept is not None else rate
