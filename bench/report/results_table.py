"""Build the tables of a run: for each profile results, details, and a sentence on the fastest case."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from bench.model.results import Run
from bench.model.text import plural, printable
from bench.report.case_columns import CaseColumn, detail_tables, result_columns
from bench.report.case_label import client_label, describe_case
from bench.report.failures import disturbance_lines, failure_lines, leak_lines
from bench.report.job_use import unread_workers_lines
from bench.report.number_format import (
    MISSING,
    TimeUnit,
    format_duration,
    format_interval,
    format_number,
    format_percent,
)
from bench.report.stop_reasons import stop_lines
from bench.report.table import Column, Remark, RemarkKind, Row, Section, Table, Tone
from bench.stats.case_summary import CaseSummary
from bench.stats.intervals import Interval
from bench.stats.ranking import Ranking, rankings

CASE_KEYS: Final = (Column("client", "left"), Column("workers"))
"""The columns that name a case below the heading of its strategy."""


def run_tables(run: Run) -> Iterator[Table]:
    """Return the tables and sentences about a run, in reading order."""
    for ranking in rankings(run):
        yield _results_table(run, ranking)
        for detail in detail_tables(ranking):
            yield replace(_case_table(ranking, detail.title, detail.columns), note=detail.note)
        yield from _workers_table(ranking)
        yield Table(remarks=(Remark(conclusion(ranking)),))
    if lines := (*stop_lines(run), *unread_workers_lines(run)):
        yield Table(remarks=tuple(Remark(line, "note") for line in lines))


def run_title(run: Run, ranking: Ranking) -> str:
    """Name the config, the flags and the profile of a table."""
    countries = ranking.rows[0].case.countries
    state = "" if run.status == "complete" else ", partial"
    count = len(countries.fetches)
    return printable(
        f"{run.config['name']}: {count:,} flags ({countries.label}), profile {ranking.profile}{state}"
    )


def time_unit(ranking: Ranking) -> TimeUnit:
    """Choose seconds or milliseconds for all medians of a table."""
    medians_s = [row.figures.elapsed.estimate for row in ranking.rows if row.figures]
    return TimeUnit.for_shortest(min(medians_s, default=0.0))


def case_keys(row: CaseSummary) -> tuple[str, str]:
    """Write the cells of `CASE_KEYS`."""
    return client_label(row.case), str(row.case.workers)


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
        ("note", disturbance_lines(ranking)),
    )
    return replace(
        _case_table(ranking, run_title(run, ranking), result_columns(time_unit(ranking))),
        legend=_legend(ranking),
        remarks=tuple(Remark(line, kind) for kind, lines in remarks for line in lines),
    )


def _case_table(ranking: Ranking, title: str, columns: Sequence[CaseColumn]) -> Table:
    """Build a table with a row for each case of a ranking."""

    def write(row: CaseSummary) -> Row:
        cells = (*case_keys(row), *(column.cell(row) for column in columns))
        return Row(cells, _mark(ranking, row), _tone(ranking, row))

    figures = (Column(each.heading, each.align, each.narrow) for each in columns)
    return Table(
        title=title,
        columns=(*CASE_KEYS, *figures),
        sections=group_by_strategy(ranking.rows, write),
        keys=len(CASE_KEYS),
        section_heading="strategy",
    )


def _workers_table(ranking: Ranking) -> Iterator[Table]:
    """Set medians out by workers, if any strategy was run with several numbers of workers."""
    unit = time_unit(ranking)
    medians: dict[tuple[str, str], dict[int, str]] = {}
    for row in ranking.rows:
        series = medians.setdefault((printable(row.case.strategy), client_label(row.case)), {})
        median = row.figures and unit.format(row.figures.elapsed.estimate)
        series[row.case.workers] = median or MISSING
    if all(len(series) == 1 for series in medians.values()):
        return
    workers = sorted({row.case.workers for row in ranking.rows})
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


def _mark(ranking: Ranking, row: CaseSummary) -> str:
    """Mark the fastest case (*), cases that cannot be told from it (=), and failed trials (!)."""
    place = "*" if row.case.id == ranking.fastest else "=" if row.case.id in ranking.inconclusive else ""
    return place + ("!" if row.failed else "")


def _tone(ranking: Ranking, row: CaseSummary) -> Tone:
    if row.figures is None:
        return "bad"
    if row.case.id == ranking.fastest:
        return "best"
    return "good" if row.case.id in ranking.inconclusive else "plain"


def _legend(ranking: Ranking) -> str:
    """Explain the marks, and the column that compares with the baseline."""
    marks = ["* fastest"]
    if ranking.inconclusive:
        marks.append("= cannot be told from it")
    if any(row.failed for row in ranking.rows):
        marks.append("! trials failed, named below")
    if ranking.baseline is not None:
        baseline = next(row.case for row in ranking.rows if row.case.id == ranking.baseline)
        marks.append(f"× seq: times faster than {describe_case(baseline)}, ≈ if it cannot be told from it")
    return " · ".join(marks)


def conclusion(ranking: Ranking) -> str:
    """Name the fastest case, its gain, and the cases that cannot be told from it."""
    rows = {row.case.id: row for row in ranking.rows}
    if ranking.fastest is None:
        return "No case yielded a timing."
    best = rows[ranking.fastest]
    lead = f"{describe_case(best.case)} was fastest"
    if best.figures is not None:
        elapsed = format_duration(best.figures.elapsed.estimate)
        lead += f" at {elapsed}, {format_percent(best.figures.efficiency)} of the ideal"
    return " ".join([f"{lead}{_gain(best, rows, ranking.baseline)}.", *_certainty(ranking, rows)])


def _gain(best: CaseSummary, rows: Mapping[str, CaseSummary], baseline: str | None) -> str:
    """Compare the fastest case with the baseline."""
    if best.figures is None or best.figures.times_faster is None or baseline is None:
        return ""
    found = best.figures.times_faster
    other = describe_case(rows[baseline].case)
    if found.is_testable and found.verdict == "inconclusive":
        return f", and cannot be told from {other}"
    about = "" if found.is_testable else "about "
    times = f"{about}{format_number(found.ratio.estimate)} times faster than {other}"
    return f", {times}{_bounds(found.ratio)}"


def _bounds(ratio: Interval) -> str:
    if ratio.low is None:
        return ""
    return f" (95% interval {format_interval(ratio, format_number, ' to ')})"


def _certainty(ranking: Ranking, rows: Mapping[str, CaseSummary]) -> Iterator[str]:
    """Name the cases that the fastest is ahead of, cannot be told from, and was not compared with."""
    if ranking.ranked == 1:
        blocks = plural(rows[ranking.fastest or ""].blocks, "block")
        yield f"There was nothing to compare it with ({blocks})."
        return
    if ranking.untestable and not (ranking.slower or ranking.inconclusive):
        yield (
            f"There are too few blocks to tell {ranking.ranked} cases apart; "
            f"it takes {ranking.blocks_needed}: take this as a first impression."
        )
        return
    basis = f"paired by block, 95% over all pairs of {ranking.ranked} cases"
    if ranking.inconclusive:
        yield f"It cannot be told from {_list_cases(ranking.inconclusive, rows)} ({basis})."
    elif ranking.untestable:
        yield f"It is ahead of {plural(len(ranking.slower), 'other case')} ({basis})."
    else:
        yield f"It is ahead of every other case ({basis})."
    if ranking.untestable:
        yield f"Too few blocks are shared with {_list_cases(ranking.untestable, rows)} to compare them."


def _list_cases(case_ids: frozenset[str], rows: Mapping[str, CaseSummary]) -> str:
    names = [describe_case(row.case) for case_id, row in rows.items() if case_id in case_ids]
    return names[0] if len(names) == 1 else f"{'; '.join(names[:-1])}; or {names[-1]}"
