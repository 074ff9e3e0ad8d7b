"""What more workers bring, as a sheet: times, efficiencies and gains by workers."""

from collections.abc import Iterator, Sequence
from typing import Final

from bench.model.results import Run
from bench.model.text import printable
from bench.report.case_label import client_named
from bench.report.number_format import NOTHING, Unit, factor, factors, share
from bench.report.result_columns import unit_of
from bench.report.results_table import run_title
from bench.report.scaling_summary import scaling_remarks
from bench.report.table import ReportTable, Section
from bench.stats.intervals import Interval
from bench.stats.ranking import rankings
from bench.stats.scaling import ScalingPoint, Series, summarize_scaling

_BOUNDS: Final = "95%\ninterval"
_LEGEND: Final = (
    "median elapsed time · share of the ideal · times faster than with the next fewer workers, paired by "
    "block · each with its 95% interval · n: blocks"
)


def scaling_tables(run: Run) -> Iterator[ReportTable]:
    """Set out how the cases of a run scale, one sheet a profile."""
    for podium, scaling in zip(rankings(run), summarize_scaling(run), strict=True):
        unit = unit_of(podium)
        median, ideal, gain = f"median\n{unit.name}", "of\nideal", "times\nfaster"
        yield ReportTable(
            title=f"{run_title(run, podium)}, by workers",
            columns=("workers", median, _BOUNDS, ideal, _BOUNDS, gain, _BOUNDS, "n"),
            sections=tuple(_section(series, unit) for series in scaling.series),
            legend=_LEGEND,
            remarks=tuple(scaling_remarks(scaling)),
        )


def _section(series: Series, unit: Unit) -> Section:
    contender = series.contender
    rows = tuple(_cells(rung, unit) for rung in series.rungs)
    return Section(printable(f"{contender.strategy} {client_named(contender)}"), rows)


def _cells(rung: ScalingPoint, unit: Unit) -> Sequence[str]:
    gain = rung.gain
    return (
        f"  {rung.workers}",
        unit.figure(rung.elapsed.estimate),
        unit.bounds(rung.elapsed),
        share(rung.efficiency.estimate),
        _shares(rung.efficiency),
        NOTHING if gain is None else factor(gain.ratio.estimate),
        NOTHING if gain is None else factors(gain.ratio),
        str(rung.blocks),
    )


def _shares(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return NOTHING
    return f"{100 * interval.low:.0f}–{share(interval.high)}"
