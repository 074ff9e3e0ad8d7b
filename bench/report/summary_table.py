"""Build the compact summary of a run, which `run` and `show` print by default, fastest case first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from bench.model.body_sizes import BodySizes, FixedSize, LogNormalSize, SampledSize
from bench.model.cases import Fixed, Latency, LogNormal, Profile, Sampled, Uniform, Unknown
from bench.model.results import Run
from bench.model.text import join_or, plural, printable, size_text
from bench.report.axis_table import axis_table
from bench.report.busy_machine import busy_machine_lines
from bench.report.case_columns import hindrance
from bench.report.case_label import client_label, describe_conditions, describe_work, workers_label
from bench.report.conclusion import conclusion
from bench.report.failures import count_disturbed, count_failed, leak_lines, missing_blocks_line
from bench.report.job_use import workers_lines
from bench.report.machines import machine_line
from bench.report.marks import case_tone, explain_marks, mark_case
from bench.report.number_format import (
    MISSING,
    format_duration,
    format_half_width,
    format_percent,
    format_rate,
    format_speedup,
)
from bench.report.open_loop_columns import SUMMARY_COLUMNS
from bench.report.open_loop_conclusion import p99_s
from bench.report.rates_table import rates_table
from bench.report.sparkline import draw_length
from bench.report.stop_reasons import stopping_line
from bench.report.table import Column, Remark, Row, Section, Table
from bench.report.target import target_lines
from bench.stats.case_summary import CaseSummary
from bench.stats.offered_rates import summarize_rates
from bench.stats.ranking import Ranking, rankings
from bench.stats.series_over_axis import summarize_axes

_MOST_ROWS: Final = 12
_FIXED_WIDTH: Final = 75
"""Cells that the other columns take, roughly; the bar takes the others."""
_PLANNED: Final = 2
"""The last columns, which need planned delays and a log of the server."""
_LEAST_BAR, _MOST_BAR = 4, 24


def summary_tables(
    run: Run, width: int, details: str, ranked: Sequence[Ranking] | None = None
) -> Iterator[Table]:
    """Return what a first look needs: a table and a verdict for each profile, and what did not go well.

    Where cases are measured with several numbers of downloads or amounts of CPU work, the tables have their
    times only, and the verdicts say where one overtakes another. Where they are measured at several rates,
    they have their 99th percentiles only, and the verdicts say which rates they keep. What did not go well
    stands below the first table of each case.

    Args:
        run: complete or not.
        width: cells of a line.
        details: the command that prints every table; empty: leave it out.
        ranked: the run's ``rankings``, if they are known already.
    """
    yield Table(remarks=(Remark(run_facts(run)),))
    found = rankings(run) if ranked is None else ranked
    over_axes, rated = summarize_axes(found), summarize_rates(run, found)
    for rates in rated:
        by_rate = {f"At {format_rate(rate)}": ranking for rate, ranking in rates.rankings.items()}
        yield rates_table(rates, _named_notes(run, by_rate), is_one_of_several=len(rated) > 1)
    for summary in over_axes:
        by_value = {
            f"With {summary.axis.describe(value)}": ranking
            for value, ranking in summary.rankings.items()
            if summary.axis == over_axes[0].axis
        }
        yield axis_table(summary, _named_notes(run, by_value), is_one_of_several=len(over_axes) > 1)
    for ranking in () if over_axes or rated else found:
        title = (
            ""
            if len(found) == 1
            else f"{describe_conditions(ranking.rows[0].case)}: {describe_profile(_profile(ranking))}"
        )
        yield Table(
            title=title,
            columns=_columns(ranking),
            sections=(Section("", tuple(_rows(ranking, width))),),
            legend=" · ".join(explain_marks(ranking)),
            remarks=(Remark(conclusion(ranking)), *_notes(run, ranking)),
            keys=3,
        )
    lines = (*target_lines(run), *busy_machine_lines(run), *stopping_line(run), *workers_lines(run))
    more = (f"Every table: {details}",) if details else ()
    yield Table(remarks=tuple(Remark(line, "note") for line in (*lines, *more)))


def describe_profile(profile: Profile) -> str:
    """Say how the server behaves: its answers' delay, and what else it does."""
    extras = (
        (profile.connect_latency_s > 0, f"connections after {format_duration(profile.connect_latency_s)}"),
        (profile.bandwidth is not None, "limited bandwidth"),
        (bool(profile.faults), "faults"),
        (profile.tls and not profile.http2, "TLS"),
        (profile.http2, "HTTP/2 over TLS"),
    )
    bodies = [] if profile.sizes is None else [f"bodies of {_describe_sizes(profile.sizes)}"]
    return ", ".join([_describe_answers(profile), *bodies, *(word for is_so, word in extras if is_so)])


def _describe_sizes(sizes: BodySizes) -> str:
    match sizes:
        case FixedSize(size_bytes):
            return size_text(size_bytes)
        case LogNormalSize(median_bytes):
            return f"{size_text(median_bytes)} in the median"
        case SampledSize():
            return f"{size_text(float(f'{sizes.median_bytes:.3g}'))} in the median, as measured"


def _describe_answers(profile: Profile) -> str:
    return profile.server or f"answers {_describe_latency(profile.latency)}"


def _describe_latency(latency: Latency) -> str:
    match latency:
        case Fixed(0.0):
            return "at once"
        case Fixed(seconds):
            return f"after {format_duration(seconds)}"
        case Uniform(low_s, high_s):
            low, high = format_duration(low_s), format_duration(high_s)
            same_unit = low.rpartition(" ")[2] == high.rpartition(" ")[2]
            return f"after {low.rpartition(' ')[0] if same_unit else low}–{high}"
        case LogNormal(median_s):
            return f"after {format_duration(median_s)} in the median"
        case Sampled():
            return f"after {format_duration(latency.median_s)} in the median, as measured"
        case Unknown():
            return "after unknown delays"


def _profile(ranking: Ranking) -> Profile:
    return ranking.rows[0].case.profile


def run_facts(run: Run) -> str:
    """Name the facts that matter: flags, server, blocks, Python and processors."""
    case = run.cases[0]
    profiles = {each.profile.name for each in run.cases}
    python, processor = run.environment.get("python"), run.environment.get("processor")
    blocks = len({trial.block for trial in run.trials})
    counts = [each.countries.count for each in run.cases]
    fewer = f"{min(counts):,} to " if min(counts) < max(counts) else ""
    facts = [
        fewer + plural(max(counts), "file" if case.profile.server else "flag"),
        f"server {describe_profile(case.profile)}" if len(profiles) == 1 else f"{len(profiles)} profiles",
        *_work_facts(run),
        *_rate_facts(run),
        plural(blocks, "block") + ("" if run.status == "complete" else ", partial"),
    ]
    if isinstance(python, dict) and (version := str(python.get("version", ""))):
        facts.append(f"Python {'.'.join(version.split('.')[:2])}")
    if isinstance(processor, dict) and isinstance(cores := processor.get("cores"), int):
        facts.append(plural(cores, "CPU"))
    return printable(" · ".join(facts))


def _work_facts(run: Run) -> Iterator[str]:
    """Name the CPU work on each flag, if there is any."""
    found = list(dict.fromkeys(each.work for each in run.cases))
    if len(found) > 1:
        yield f"each with {join_or([f'{each.times:,}' for each in found])} × {found[0].kind}"
    elif words := describe_work(found[0]):
        yield f"each with {words}"


def _rate_facts(run: Run) -> Iterator[str]:
    """Name the rates of an open loop, if it is one."""
    if rates := sorted({each.rate for each in run.cases if each.rate}):
        yield f"open loop at {join_or([*map(format_rate, rates)])}"


def _columns(ranking: Ranking) -> tuple[Column, ...]:
    """Return the columns; those that need planned delays and a log are left out for a target.

    In an open loop, whose schedule decides how long a round takes, there are others than those.
    """
    shared = (
        Column("strategy", "left"),
        Column("client", "left"),
        Column("workers"),
        Column("time"),
        Column("95%"),
        Column("", "left", is_optional=True),
    )
    if ranking.rows[0].case.rate:
        return (*shared, *(Column(each.heading, each.align) for each in SUMMARY_COLUMNS))
    columns = (
        *shared,
        Column("× seq"),
        Column("of\nideal", is_optional=True),
        Column("held back by", "left", is_optional=True),
    )
    return columns[:-_PLANNED] if _profile(ranking).server else columns


def _rows(ranking: Ranking, width: int) -> Iterator[Row]:
    """Write a row for each case, the fastest first and those without a figure last.

    In an open loop, that with the lowest p99 is the first.
    """
    ordered = sorted(ranking.rows, key=_order)
    longest_s = max((row.figures.elapsed.estimate for row in ordered if row.figures), default=0.0)
    cells = min(max(width - _FIXED_WIDTH, _LEAST_BAR), _MOST_BAR)
    for row in ordered[:_MOST_ROWS]:
        names = (printable(row.case.strategy), client_label(row.case), workers_label(row.case))
        yield Row(
            (*names, *_figures(row, longest_s, cells)), mark_case(ranking, row), case_tone(ranking, row)
        )
    if left := ordered[_MOST_ROWS:]:
        yield Row((f"… {len(left)} more", *[""] * (len(_columns(ranking)) - 1)))


def _order(row: CaseSummary) -> float:
    if row.figures is None:
        return float("inf")
    return p99_s(row) if row.case.rate else row.figures.elapsed.estimate


def _figures(row: CaseSummary, longest_s: float, cells: int) -> Sequence[str]:
    if row.figures is None:
        outcome = row.failed[0].outcome if row.failed else MISSING
        blanks = 2 + len(SUMMARY_COLUMNS) if row.case.rate else 3 if row.case.profile.server else 3 + _PLANNED
        return (outcome, *[""] * blanks)
    elapsed, efficiency = row.figures.elapsed, row.figures.efficiency
    length = draw_length(elapsed.estimate / longest_s, cells)
    time = (format_duration(elapsed.estimate), format_half_width(elapsed), length)
    if row.case.rate:
        return (*time, *(each.cell(row) for each in SUMMARY_COLUMNS))
    measured = (*time, format_speedup(row.figures.times_faster))
    if row.case.profile.server:
        return measured
    return (*measured, MISSING if efficiency is None else format_percent(efficiency), hindrance(row))


def _named_notes(run: Run, named: Mapping[str, Ranking]) -> Iterator[Remark]:
    """Yield the notes on several rankings, each with the name of its own in front."""
    for name, ranking in named.items():
        for note in _notes(run, ranking):
            yield replace(note, text=f"{name}: {note.text}")


def _notes(run: Run, ranking: Ranking) -> Iterator[Remark]:
    """Yield a line each for failed, discarded and leaking trials, if any, and one on several machines."""
    if line := count_failed(ranking):
        yield Remark(line, "failure")
    if line := missing_blocks_line(ranking):
        yield Remark(line, "warning")
    if line := count_disturbed(ranking):
        yield Remark(line, "note")
    for line in leak_lines(ranking):
        yield Remark(line, "warning")
    if line := machine_line(run, ranking):
        yield Remark(line, "note")
