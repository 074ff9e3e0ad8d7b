"""What stands below the results table, a table each: where time goes, why not ideal, costs, the witness."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Final

from bench.model.results import Gap
from bench.report.number_format import NOTHING, digits, share
from bench.report.result_columns import Column, ending_columns
from bench.stats.case_summary import CaseSummary
from bench.stats.ranking import Ranking
from bench.stats.resource_usage import ResourceUsage

_PARTS: Final[Mapping[str, str]] = {
    "pool_start_s": "pool\nstart",
    "unused_s": "unused\nslots",
    "set_up_s": "set-up",
    "client_s": "client\nCPU",
    "lateness_s": "server\nlate",
    "pool_stop_s": "pool\nstop",
}
_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class DetailTable:
    """A table of its own, and what its columns mean in one line."""

    title: str
    note: str
    columns: tuple[Column, ...]


def detail_tables(podium: Ranking) -> tuple[DetailTable, ...]:
    """Return the aspects, with those columns that have something to say of any case."""
    wanted = (_endings(podium), _why_not_ideal(), _time(), _costs(), _witness())
    told = (_said(aspect, podium) for aspect in wanted)
    return tuple(aspect for aspect in told if aspect.columns)


def _said(aspect: DetailTable, podium: Ranking) -> DetailTable:
    columns = tuple(
        column
        for column in aspect.columns
        if any(column.cell(row) not in {NOTHING, ""} for row in podium.rows)
    )
    return DetailTable(aspect.title, aspect.note, columns)


def _endings(podium: Ranking) -> DetailTable:
    return DetailTable(
        "how fetches ended",
        "per round, the least and the most; each as the profile had planned it",
        ending_columns(podium),
    )


def _why_not_ideal() -> DetailTable:
    return DetailTable(
        "why not ideal",
        "ms beyond the ideal, and where they went; means, so the parts add up",
        (
            _ms("gap", lambda found: _total(found.gap), "gap"),
            *(_ms(short.replace("\n", " "), _part(name), short) for name, short in _PARTS.items()),
            Column("mostly", _mostly, "mostly", is_text=True),
        ),
    )


def _time() -> DetailTable:
    return DetailTable(
        "where time goes",
        "ms; cold start and imports once a process, start once a round, the others per fetch",
        (
            _ms("cold start", lambda found: found.cold_start_s, "cold\nstart"),
            _ms("imports", lambda found: found.imports_s, "im-\nports"),
            _ms("start", _phase("start_s"), "start"),
            _ms("first byte", _phase("first_byte_s"), "first\nbyte"),
            _ms("transfer", _phase("transfer_s"), "trans-\nfer"),
            _ms("save", _phase("save_s"), "save"),
            _ms("p50", _latency("p50_s"), "p50"),
            _ms("p90", _latency("p90_s"), "p90"),
            _ms("p99", _latency("p99_s"), "p99"),
            _ms("max", _latency("max_s"), "max"),
        ),
    )


def _costs() -> DetailTable:
    return DetailTable(
        "what it costs",
        "means per round; memory, threads and descriptors (fds) at their peak in a warm-up",
        (
            _ms("user ms", _figure("cpu_user_s"), "user\nms"),
            _ms("system ms", _figure("cpu_system_s"), "system\nms"),
            _of("CPU", lambda found: found.cpu_share, share, "CPU"),
            _of("switches", _figure("switches_voluntary"), _count, "swit-\nches"),
            _of("involuntary", _figure("switches_involuntary"), _count, "invo-\nlunt."),
            _of("MiB", _figure("memory_bytes"), lambda size: digits(size / _MIB), "MiB"),
            _of("threads", _figure("threads"), _count, "thr-\neads"),
            _of("fds", _figure("descriptors"), _count, "fds"),
            _ms("loop lag ms", _figure("loop_lag_p50_s"), "lag\np50"),
            _ms("p99 ms", _figure("loop_lag_p99_s"), "lag\np99"),
            _ms("queue ms", _figure("queue_wait_s"), "queue\nms"),
            _ms("GC ms", _figure("gc_s"), "GC\nms"),
        ),
    )


def _witness() -> DetailTable:
    return DetailTable(
        "what the server saw",
        "means per round; idle: nothing in flight; overtaken: out of the order asked; busy: of its core",
        (
            _of("mean in flight", _seen("mean_in_flight"), digits, "mean\nflight"),
            _of("opened", _seen("opened"), _count, "conns"),
            _of("reused", _reused, _count, "re-\nused"),
            _of("retries", _seen("retries"), _count, "re-\ntry"),
            _ms("idle ms", _seen("idle_s"), "idle\nms"),
            _ms("spacing ms", _seen("spacing_p50_s"), "spac-\ning"),
            _ms("longest ms", _seen("spacing_max_s"), "long-\nest"),
            _of("overtaken", _seen("overtaken"), _count, "over-\ntaken"),
            _ms("late p50 ms", _seen("late_p50_s"), "late\np50"),
            _ms("p99 ms", _seen("late_p99_s"), "late\np99"),
            _of("busy", lambda found: found.server_busy, share, "busy"),
        ),
    )


def _ms(heading: str, value: Callable[[ResourceUsage], float | None], short: str) -> Column:
    return _of(heading, value, lambda seconds: signed(seconds * 1000), short)


def _of(
    heading: str, value: Callable[[ResourceUsage], float | None], written: Callable[[float], str], short: str
) -> Column:
    def cell(row: CaseSummary) -> str:
        found = None if row.costs is None else value(row.costs)
        return NOTHING if found is None else written(found)

    return Column(heading, cell, short)


def signed(value: float) -> str:
    """Write a figure that may be below zero; one that would be written as zero has no sign."""
    text = digits(abs(value))
    return f"−{text}" if value < 0 and float(text.replace(",", "")) else text


def _figure(name: str) -> Callable[[ResourceUsage], float | None]:
    return lambda found: found.figures.get(name)


def _seen(name: str) -> Callable[[ResourceUsage], float | None]:
    return lambda found: found.witness.get(name)


def _part(name: str) -> Callable[[ResourceUsage], float | None]:
    return lambda found: None if found.gap is None else getattr(found.gap, name)


def _phase(name: str) -> Callable[[ResourceUsage], float | None]:
    return lambda found: None if found.phases is None else getattr(found.phases, name)


def _latency(name: str) -> Callable[[ResourceUsage], float | None]:
    return lambda found: None if found.latency is None else getattr(found.latency, name)


def _reused(found: ResourceUsage) -> float | None:
    """Return how many requests came on a connection that had carried one before."""
    return found.witness["requests"] - found.witness["opened"] if found.witness else None


def _total(gap: Gap | None) -> float | None:
    return None if gap is None else sum(getattr(gap, part.name) for part in fields(gap))


def _mostly(row: CaseSummary) -> str:
    """Name the greatest part of the gap."""
    gap = None if row.costs is None else row.costs.gap
    if gap is None:
        return NOTHING
    return _PARTS[max(_PARTS, key=lambda name: getattr(gap, name))].replace("\n", " ")


def _count(value: float) -> str:
    return f"{value:,.0f}"
