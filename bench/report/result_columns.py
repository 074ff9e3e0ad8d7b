"""The columns of the results table, once for the terminal and Markdown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.model.text import printable
from bench.report.case_label import client_named
from bench.report.number_format import NOTHING, Unit, share, span, times
from bench.stats.case_summary import CaseSummary, Figures
from bench.stats.ranking import Ranking


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, what it says of a case, and the heading where room is scarce."""

    heading: str
    cell: Callable[[CaseSummary], str]
    short: str
    is_text: bool = False


def unit_of(podium: Ranking) -> Unit:
    """Choose the unit in which every median of a table can be read."""
    return Unit.for_shortest(
        min((row.figures.elapsed.estimate for row in podium.rows if row.figures), default=0.0)
    )


def client_of(row: CaseSummary) -> str:
    """Name the client of a row."""
    return client_named(row.case)


def client_and_workers(row: CaseSummary) -> str:
    """Name what a row has below the heading of its strategy."""
    return client_of(row) if row.case.strategy == "sequential" else f"{client_of(row)} {row.case.workers}"


def mark_of(podium: Ranking, row: CaseSummary) -> str:
    """Mark the fastest (*), what cannot be told from it (=), and rows with failed trials (!)."""
    place = "*" if row.case.id == podium.fastest else "=" if row.case.id in podium.ties else ""
    return place + ("!" if row.failed else "")


def identity(podium: Ranking) -> tuple[Column, ...]:
    """Return the columns that say which case a row is about."""
    return (
        Column("", lambda row: mark_of(podium, row), "", is_text=True),
        Column("strategy", lambda row: printable(row.case.strategy), "strategy", is_text=True),
        Column("client", client_of, "client", is_text=True),
        Column("workers", lambda row: str(row.case.workers), "workers"),
    )


def results(podium: Ranking) -> tuple[Column, ...]:
    """Return how long it took, how good that is, and whether what was claimed was done."""
    unit = unit_of(podium)
    return (
        Column(f"median {unit.name}", lambda row: _elapsed(row, unit), f"median\n{unit.name}"),
        _column("95% interval", lambda found: unit.bounds(found.elapsed), "95%\ninterval"),
        Column("blocks", _blocks, "n"),
        _column("× seq", lambda found: times(found.times_faster), "×\nseq"),
        _column("of ideal", lambda found: share(found.efficiency), "of\nideal"),
        Column("in flight", _in_flight, "in\nflight"),
        Column("limit", lambda row: (row.costs and row.costs.limit) or NOTHING, "limit", is_text=True),
        _column("verified", lambda found: span(found.verified), "veri-\nfied"),
        _column("404", lambda found: span(found.not_found), "404"),
        _column("errors", lambda found: span(found.errors), "err"),
    )


def _column(heading: str, cell: Callable[[Figures], str], short: str) -> Column:
    return Column(heading, lambda row: NOTHING if row.figures is None else cell(row.figures), short)


def _elapsed(row: CaseSummary, unit: Unit) -> str:
    if row.figures is not None:
        return unit.figure(row.figures.elapsed.estimate)
    return row.failed[0].outcome if row.failed else NOTHING


def _in_flight(row: CaseSummary) -> str:
    """Set what was reached against what was asked for."""
    if row.figures is None or row.figures.in_flight is None:
        return NOTHING
    return f"{span(row.figures.in_flight)}/{row.case.workers}"


def _blocks(row: CaseSummary) -> str:
    return f"{row.blocks}/{row.blocks + len(row.failed)}" if row.failed else str(row.blocks)


_SHORT: Final[Mapping[str, str]] = {
    "not_found": "not\nfound",
    "server_error": "server\nerror",
    "unavailable": "unavai-\nlable",
    "rate_limited": "rate\nlimited",
    "redirect": "redi-\nrect",
    "refused": "re-\nfused",
    "disconnected": "discon-\nnected",
    "truncated": "trun-\ncated",
    "timeout": "time-\nout",
    "corrupt": "cor-\nrupt",
    "protocol": "proto-\ncol",
    "too_large": "too\nlarge",
}
"""Headings where room is scarce."""


def ending_columns(podium: Ranking) -> tuple[Column, ...]:
    """Return a column for each class in which a fetch of any case ended; none if all were answered well."""
    seen = dict.fromkeys(
        outcome for row in podium.rows if row.figures is not None for outcome in row.figures.outcomes
    )
    if seen.keys() <= {"ok", "not_found"}:
        return ()
    return tuple(
        Column(outcome.replace("_", " "), _ended(outcome), _SHORT.get(outcome, outcome)) for outcome in seen
    )


def _ended(outcome: str) -> Callable[[CaseSummary], str]:
    def cell(row: CaseSummary) -> str:
        if row.figures is None:
            return NOTHING
        found = row.figures.outcomes.get(outcome)
        return "0" if found is None else span(found)

    return cell
