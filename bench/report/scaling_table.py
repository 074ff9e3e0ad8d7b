"""Build the tables of times, efficiencies and gains by workers, for `show --scaling`."""

from collections.abc import Iterator, Sequence
from typing import Final

from bench.model.results import Run
from bench.model.text import printable
from bench.report.case_label import client_label
from bench.report.number_format import MISSING, TimeUnit, format_interval, format_percent, format_ratio
from bench.report.results_table import run_title, time_unit
from bench.report.scaling_summary import scaling_remarks
from bench.report.table import Column, Remark, Row, Section, Table
from bench.stats.ranking import Ranking, rankings
from bench.stats.scaling import Scaling, ScalingPoint, Series, summarize_scaling

_INTERVAL: Final = "95% interval"
_OF_IDEAL: Final = " · share of the ideal"
_LEGEND: Final = (
    f"median elapsed time{_OF_IDEAL} · times faster than with the next fewer workers, paired by "
    "block · each with its 95% interval · n: blocks"
)


def scaling_tables(
    run: Run, ranked: Sequence[Ranking] | None = None, scalings: Sequence[Scaling] | None = None
) -> Iterator[Table]:
    """Build a table for each profile of a run.

    Args:
        run: complete or not.
        ranked: its ``rankings``, if they are known already.
        scalings: its ``summarize_scaling``, if it is known already.
    """
    ranked = rankings(run) if ranked is None else ranked
    scalings = summarize_scaling(run) if scalings is None else scalings
    for ranking, scaling in zip(ranked, scalings, strict=True):
        unit = time_unit(ranking)
        has_ideal = any(point.efficiency for series in scaling.series for point in series.points)
        ideal = ("of ideal", _INTERVAL) if has_ideal else ()
        figures = (f"median {unit.name}", _INTERVAL, *ideal, "times faster", _INTERVAL, "n")
        yield Table(
            title=f"{run_title(run, ranking)}, by workers",
            columns=(Column("workers", "left"), *map(Column, figures)),
            sections=tuple(_section(series, unit, has_ideal=has_ideal) for series in scaling.series),
            legend=_LEGEND if has_ideal else _LEGEND.replace(_OF_IDEAL, ""),
            remarks=tuple(map(Remark, scaling_remarks(scaling))),
        )


def _section(series: Series, unit: TimeUnit, *, has_ideal: bool) -> Section:
    name = f"{series.key.strategy} {client_label(series.key)}"
    return Section(printable(name), tuple(_row(point, unit, has_ideal=has_ideal) for point in series.points))


def _row(point: ScalingPoint, unit: TimeUnit, *, has_ideal: bool) -> Row:
    gain, share = point.gain, point.efficiency
    efficiency = (
        MISSING if share is None else format_percent(share.estimate),
        MISSING if share is None else format_interval(share, format_percent),
    )
    return Row(
        (
            str(point.workers),
            unit.format(point.elapsed.estimate),
            format_interval(point.elapsed, unit.format),
            *(efficiency if has_ideal else ()),
            MISSING if gain is None else format_ratio(gain.ratio.estimate),
            MISSING if gain is None else format_interval(gain.ratio, format_ratio),
            str(point.blocks),
        )
    )
