"""Build the tables of a run: for each profile results, details, and a sentence on the fastest case."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from bench.model.results import Run
from bench.model.text import printable
from bench.report.axis_table import axis_table
from bench.report.busy_machine import busy_machine_lines
from bench.report.case_columns import CaseColumn, detail_tables, result_columns
from bench.report.case_label import client_label, describe_case, describe_work, workers_label
from bench.report.conclusion import conclusion
from bench.report.failures import disturbance_lines, failure_lines, leak_lines, missing_blocks_line
from bench.report.fairness import describe_settings, fairness_columns, fairness_note, library_tables
from bench.report.job_use import workers_lines
from bench.report.library_lines import environment_lines
from bench.report.machines import machine_line, machine_table
from bench.report.marks import case_tone, explain_marks, mark_case
from bench.report.number_format import MISSING, TimeUnit, format_rate
from bench.report.open_loop_columns import OPEN_LOOP_COLUMNS
from bench.report.rates_table import rates_table
from bench.report.stop_reasons import stop_lines
from bench.report.table import Column, Remark, RemarkKind, Row, Section, Table
from bench.report.target import target_lines
from bench.stats.case_summary import CaseSummary
from bench.stats.offered_rates import summarize_rates
from bench.stats.ranking import Ranking, rankings
from bench.stats.series_over_axis import summarize_axes

CASE_KEYS: Final = (Column("client", "left"), Column("workers"))
"""The columns that name a case below the heading of its strategy."""


def run_tables(run: Run, ranked: Sequence[Ranking] | None = None) -> Iterator[Table]:
    """Return the tables and sentences about a run, in reading order.

    Args:
        run: complete or not.
        ranked: its ``rankings``, if they are known already.
    """
    ranked = rankings(run) if ranked is None else ranked
    for rates in (rated := summarize_rates(run, ranked)):
        yield rates_table(rates, is_one_of_several=len(rated) > 1)
    for ranking in ranked:
        yield _results_table(run, ranking)
        for detail in detail_tables(ranking):
            yield replace(_case_table(ranking, detail.title, detail.columns), note=detail.note)
        yield from _fairness_tables(run, ranking)
        yield from _workers_table(ranking)
        if (machines := machine_table(run, ranking, time_unit(ranking))) is not None:
            yield machines
        yield Table(remarks=(Remark(conclusion(ranking)),))
    for summary in (over_axes := summarize_axes(ranked)):
        yield axis_table(summary, is_one_of_several=len(over_axes) > 1)
    if lines := (
        *target_lines(run),
        *busy_machine_lines(run),
        *stop_lines(run),
        *workers_lines(run),
        *environment_lines(run),
    ):
        yield Table(remarks=tuple(Remark(line, "note") for line in lines))


def run_title(run: Run, ranking: Ranking) -> str:
    """Name the config, the flags and the profile of a table."""
    countries = ranking.rows[0].case.countries
    state = "" if run.status == "complete" else ", partial"
    count, profile = countries.count, ranking.rows[0].case.profile
    words = describe_work(ranking.rows[0].case.work)
    work = f", each with {words}" if words else ""
    if rate := ranking.rows[0].case.rate:
        work += f", open loop at {format_rate(rate)}"
    if server := profile.server:
        return printable(
            f"{run.config['name']}: {count:,} files ({countries.label}) of {server}{work}{state}"
        )
    return printable(
        f"{run.config['name']}: {count:,} flags ({countries.label}), profile {profile.name}{work}{state}"
    )


def time_unit(ranking: Ranking) -> TimeUnit:
    """Choose seconds or milliseconds for all medians of a table."""
    medians_s = [row.figures.elapsed.estimate for row in ranking.rows if row.figures]
    return TimeUnit.for_shortest(min(medians_s, default=0.0))


def case_keys(row: CaseSummary) -> tuple[str, str]:
    """Write the cells of `CASE_KEYS`."""
    return client_label(row.case), workers_label(row.case)


def group_by_strategy(
    rows: Iterable[CaseSummary], write: Callable[[CaseSummary], Row]
) -> tuple[Section, ...]:
    """Write a row for each case, neighbours with the same strategy in one section."""
    return tuple(
        Section(printable(strategy), tuple(map(write, group)))
        for strategy, group in groupby(rows, key=lambda row: row.case.strategy)
    )


def _results_table(run: Run, ranking: Ranking) -> Table:
    remarks: tuple[tuple[RemarkKind, Iterable[str]], ...] = (
        ("failure", failure_lines(ranking)),
        ("warning", leak_lines(ranking)),
        ("warning", filter(None, [missing_blocks_line(ranking)])),
        ("note", disturbance_lines(ranking)),
        ("note", filter(None, [machine_line(run, ranking)])),
    )
    return replace(
        _case_table(
            ranking,
            run_title(run, ranking),
            (
                *result_columns(time_unit(ranking), has_log=not ranking.rows[0].case.profile.server),
                *(OPEN_LOOP_COLUMNS if ranking.rows[0].case.rate else ()),
            ),
        ),
        legend=_legend(ranking),
        remarks=tuple(Remark(line, kind) for kind, lines in remarks for line in lines),
    )


def _case_table(ranking: Ranking, title: str, columns: Sequence[CaseColumn]) -> Table:
    """Build a table with a row for each case of a ranking."""

    def write(row: CaseSummary) -> Row:
        cells = (*case_keys(row), *(column.cell(row) for column in columns))
        return Row(cells, mark_case(ranking, row), case_tone(ranking, row))

    figures = (Column(each.heading, each.align) for each in columns)
    return Table(
        title=title,
        columns=(*CASE_KEYS, *figures),
        sections=group_by_strategy(ranking.rows, write),
        keys=len(CASE_KEYS),
        section_heading="strategy",
    )


def _fairness_tables(run: Run, ranking: Ranking) -> Iterator[Table]:
    """Return what shows whether the cases were measured under equal conditions."""
    columns = fairness_columns(ranking)
    if columns:
        settings = describe_settings(run, ranking)
        remarks = () if settings is None else (Remark(settings, "note"),)
        yield replace(_case_table(ranking, "fairness", columns), note=fairness_note(ranking), remarks=remarks)
    yield from library_tables(ranking)


def _workers_table(ranking: Ranking) -> Iterator[Table]:
    """Set medians out by workers, if any strategy was run with several numbers of workers."""
    unit = time_unit(ranking)
    medians: dict[tuple[str, str], dict[int, str]] = {}
    rows = [row for row in ranking.rows if not row.case.has_own_workers]
    for row in rows:
        series = medians.setdefault((printable(row.case.strategy), client_label(row.case)), {})
        median = row.figures and unit.format(row.figures.elapsed.estimate)
        series[row.case.workers] = median or MISSING
    if all(len(series) == 1 for series in medians.values()):
        return
    workers = sorted({row.case.workers for row in rows})
    yield Table(
        title="median by workers",
        note=unit.name,
        columns=(Column("client", "left"), *(Column(str(count)) for count in workers)),
        sections=tuple(
            Section(strategy, tuple(Row((client, *(series.get(count, "") for count in workers)))
                                    for (_, client), series in group))
            for strategy, group in groupby(medians.items(), key=lambda item: item[0][0])
        ),
        section_heading="strategy",
    )  # fmt: skip


def _legend(ranking: Ranking) -> str:
    """Explain the marks, and the column that compares with the baseline."""
    marks = explain_marks(ranking)
    if ranking.baseline is not None:
        baseline = next(row.case for row in ranking.rows if row.case.id == ranking.baseline)
        marks.append(f"× seq: times faster than {describe_case(baseline)}, ≈ if it cannot be told from it")
    return " · ".join(marks)
