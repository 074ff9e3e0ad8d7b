"""The columns of the table of results and of the tables below it: the place to add one.

A column is a heading and a function from a case to its cell.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Final

from bench.model.results import ClusterGap, Gap
from bench.report.number_format import (
    MISSING,
    TimeUnit,
    format_count,
    format_interval,
    format_mib,
    format_number,
    format_percent,
    format_range,
    format_signed,
    format_speedup,
)
from bench.report.table import Align
from bench.report.value_path import Source, read_value
from bench.stats.case_summary import CaseSummary
from bench.stats.ranking import Ranking


@dataclass(frozen=True, slots=True)
class CaseColumn:
    """A column about cases.

    Attributes:
        cell: returns what the column says of a case.
    """

    heading: str
    cell: Callable[[CaseSummary], str]
    align: Align = "right"


@dataclass(frozen=True, slots=True)
class DetailTable:
    """A table below the table of results."""

    title: str
    note: str
    columns: tuple[CaseColumn, ...]


def measured_column(heading: str, source: Source[CaseSummary], write: Callable[[Any], str]) -> CaseColumn:
    """Make a column of a figure, with a dash where it was not measured."""

    def cell(row: CaseSummary) -> str:
        found = read_value(row, source)
        return MISSING if found is None else write(found)

    return CaseColumn(heading, cell)


def result_columns(unit: TimeUnit, *, has_log: bool = True) -> tuple[CaseColumn, ...]:
    """Return the columns of the table of results, with times in this unit.

    Without a log of the server, as for a target, some of them would be empty.
    """

    def interval(elapsed: Any) -> str:
        return format_interval(elapsed, unit.format)

    logged = (
        measured_column("of ideal", "figures.efficiency", format_percent),
        CaseColumn("in flight", _in_flight),
        CaseColumn("limit", lambda row: read_value(row, "costs.limit") or MISSING, align="left"),
    )
    return (
        CaseColumn(f"median {unit.name}", partial(_elapsed, unit=unit)),
        measured_column("95% interval", "figures.elapsed", interval),
        CaseColumn("blocks", _blocks),
        measured_column("× seq", "figures.times_faster", format_speedup),
        *(logged if has_log else ()),
    )


def _elapsed(row: CaseSummary, unit: TimeUnit) -> str:
    """Write the median of a case, or the outcome of its first failed trial."""
    if row.figures is not None:
        return unit.format(row.figures.elapsed.estimate)
    return row.failed[0].outcome if row.failed else MISSING


def _blocks(row: CaseSummary) -> str:
    return f"{row.blocks}/{row.blocks + len(row.failed)}" if row.failed else str(row.blocks)


def _in_flight(row: CaseSummary) -> str:
    """Write the requests in flight at once, and how many were asked for."""
    if row.figures is None or row.figures.in_flight is None:
        return MISSING
    allowed = "" if row.case.has_own_workers else f"/{row.case.workers}"
    return f"{format_range(row.figures.in_flight)}{allowed}"


_PLANNED_FAILURES: Final = (
    "per round, the least and the most; fetches that failed did so as the profile had planned it"
)


def detail_tables(ranking: Ranking) -> tuple[DetailTable, ...]:
    """Return the detail tables, with those of their columns that have a figure for any case."""
    wanted = (
        DetailTable(
            "downloads",
            "per round, the least and the most" if ranking.rows[0].case.profile.server else _PLANNED_FAILURES,
            (
                measured_column("verified", "figures.verified", format_range),
                measured_column("404", "figures.not_found", format_range),
                measured_column("errors", "figures.errors", format_range),
                *_outcome_columns(ranking),
            ),
        ),
        *_DETAILS,
    )
    filled = (DetailTable(each.title, each.note, filled_columns(each.columns, ranking)) for each in wanted)
    return tuple(each for each in filled if each.columns)


def filled_columns(columns: tuple[CaseColumn, ...], ranking: Ranking) -> tuple[CaseColumn, ...]:
    """Return the columns that have a figure for any case."""
    return tuple(each for each in columns if any(each.cell(row) not in {MISSING, ""} for row in ranking.rows))


def _outcome_columns(ranking: Ranking) -> Iterator[CaseColumn]:
    """Return a column for each outcome of a failed fetch that occurred."""
    seen = dict.fromkeys(
        outcome for row in ranking.rows if row.figures is not None for outcome in row.figures.outcomes
    )
    for outcome in seen:
        if outcome not in {"ok", "not_found"}:
            yield CaseColumn(outcome.replace("_", " "), partial(_ended, outcome=outcome))


def _ended(row: CaseSummary, outcome: str) -> str:
    if row.figures is None:
        return MISSING
    found = row.figures.outcomes.get(outcome)
    return "0" if found is None else format_range(found)


def _milliseconds(heading: str, source: Source[CaseSummary]) -> CaseColumn:
    return measured_column(heading, source, lambda seconds: format_signed(seconds * 1000))


GAP_PARTS: Final[Mapping[str, str]] = {
    "pool_start_s": "start-up",
    "client_open_s": "new clients",
    "unused_s": "idle workers",
    "set_up_s": "connecting",
    "client_s": "client CPU",
    "lateness_s": "late server",
    "pool_stop_s": "shut-down",
}
"""The parts of a gap, in the order of a round, and their names."""
CLUSTER_PARTS: Final[Mapping[str, str]] = {
    "scheduling_s": "scheduling",
    "packing_s": "packing",
    "network_s": "network",
    "client_s": "client",
}
"""The same of a gap on a cluster."""
_LITTLE_GAP: Final = 0.05
"""Share of the elapsed time; a smaller gap has no cause worth a word."""


def hindrance(row: CaseSummary) -> str:
    """Name the greatest part of the gap, if the gap is worth mentioning.

    Efficiency leaves out what the server was late by, as the ideal holds it; it is worth a word all the same.
    """
    if row.figures is None or row.figures.efficiency is None:
        return MISSING
    if row.figures.efficiency - _late_share(row) > 1 - _LITTLE_GAP:
        return MISSING
    return _greatest_part(row)


def _late_share(row: CaseSummary) -> float:
    """Return the share of the elapsed time that the server was late by; 0 if that is unknown."""
    gap = None if row.costs is None else row.costs.gap
    return 0.0 if gap is None or row.figures is None else gap.lateness_s / row.figures.elapsed.estimate


def _whole_gap(row: CaseSummary) -> float | None:
    gap = None if row.costs is None else row.costs.gap
    return None if gap is None else sum(getattr(gap, part.name) for part in fields(Gap))


def _greatest_part(row: CaseSummary) -> str:
    """Name the greatest part of the gap: what a cluster adds, where one is used."""
    if row.costs is None:
        return MISSING
    if row.costs.cluster is not None:
        return _greatest(row.costs.cluster, CLUSTER_PARTS)
    return MISSING if row.costs.gap is None else _greatest(row.costs.gap, GAP_PARTS)


def _greatest(gap: Gap | ClusterGap, names: Mapping[str, str]) -> str:
    return names[max(names, key=lambda name: getattr(gap, name) or 0.0)]


def _cluster_gap(row: CaseSummary) -> float | None:
    cluster = None if row.costs is None else row.costs.cluster
    return None if cluster is None else _overhead_s(cluster) + cluster.client_s


def _overhead_per_fetch(row: CaseSummary) -> float | None:
    """Return what the cluster adds to each fetch: all of the gap but the work on the machines."""
    cluster = None if row.costs is None else row.costs.cluster
    return None if cluster is None else _overhead_s(cluster) / row.case.countries.count


def _overhead_s(cluster: ClusterGap) -> float:
    return cluster.scheduling_s + cluster.packing_s + (cluster.network_s or 0.0)


def _kilobytes(size_bytes: float) -> str:
    return format_number(size_bytes / 1000)


def _reused(row: CaseSummary) -> float | None:
    """Count the requests on connections that had carried one before."""
    seen = None if row.costs is None else row.costs.server
    return seen["requests"] - seen["opened"] if seen else None


_DETAILS: Final = (
    DetailTable(
        "why not ideal",
        "ms beyond the planned ideal, and where they went; means, so the parts add up",
        (
            _milliseconds("gap", _whole_gap),
            *(_milliseconds(heading, f"costs.gap.{name}") for name, heading in GAP_PARTS.items()),
        ),
    ),
    DetailTable(
        "cluster",
        "ms beyond the planned ideal, and where they went; client: on the machine that took longest; means",
        (
            _milliseconds("gap", _cluster_gap),
            *(_milliseconds(heading, f"costs.cluster.{name}") for name, heading in CLUSTER_PARTS.items()),
            _milliseconds("ms per fetch", _overhead_per_fetch),
            measured_column("kB sent", "costs.cluster.sent_bytes", _kilobytes),
            measured_column("kB returned", "costs.cluster.returned_bytes", _kilobytes),
        ),
    ),
    DetailTable(
        "where time goes",
        "ms; cold start and imports once a process, start once a round, the others per fetch",
        (
            _milliseconds("cold start", "costs.cold_start_s"),
            _milliseconds("imports", "costs.imports_s"),
            _milliseconds("start", "costs.phases.start_s"),
            _milliseconds("first byte", "costs.phases.first_byte_s"),
            _milliseconds("transfer", "costs.phases.transfer_s"),
            _milliseconds("save", "costs.phases.save_s"),
            _milliseconds("p50", "costs.latency.p50_s"),
            _milliseconds("p90", "costs.latency.p90_s"),
            _milliseconds("p99", "costs.latency.p99_s"),
            _milliseconds("max", "costs.latency.max_s"),
        ),
    ),
    DetailTable(
        "processor time",
        "means per round; lag of the event loop and waits in the queue of its threads",
        (
            _milliseconds("user ms", "costs.figures.cpu_user_s"),
            _milliseconds("system ms", "costs.figures.cpu_system_s"),
            measured_column("CPU", "costs.cpu_share", format_percent),
            measured_column("switches", "costs.figures.switches_voluntary", format_count),
            measured_column("involuntary", "costs.figures.switches_involuntary", format_count),
            _milliseconds("lag p50 ms", "costs.figures.loop_lag_p50_s"),
            _milliseconds("lag p99 ms", "costs.figures.loop_lag_p99_s"),
            _milliseconds("queue ms", "costs.figures.queue_wait_s"),
            _milliseconds("GC ms", "costs.figures.gc_s"),
        ),
    ),
    DetailTable(
        "memory and handles",
        "at their peak in a warm-up",
        (
            measured_column("MiB", "costs.figures.memory_bytes", format_mib),
            measured_column("threads", "costs.figures.threads", format_count),
            measured_column("descriptors", "costs.figures.descriptors", format_count),
        ),
    ),
    DetailTable(
        "connections, as the server saw them",
        "means per round; spacing of requests, overtaken: out of the order asked",
        (
            measured_column("opened", "costs.server.opened", format_count),
            measured_column("reused", _reused, format_count),
            measured_column("retries", "costs.server.retries", format_count),
            _milliseconds("spacing ms", "costs.server.spacing_p50_s"),
            _milliseconds("longest ms", "costs.server.spacing_max_s"),
            measured_column("overtaken", "costs.server.overtaken", format_count),
        ),
    ),
    DetailTable(
        "load of the server",
        "means per round; idle: nothing in flight, late: beyond the planned delay, busy: of its core",
        (
            measured_column("mean in flight", "costs.server.mean_in_flight", format_number),
            _milliseconds("idle ms", "costs.server.idle_s"),
            _milliseconds("late p50 ms", "costs.server.late_p50_s"),
            _milliseconds("late p99 ms", "costs.server.late_p99_s"),
            measured_column("busy", "costs.server_busy", format_percent),
        ),
    ),
)
