"""The columns of a results table, once for the terminal, Markdown and CSV."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.report.figures import NOTHING, Unit, share, span, times
from bench.stats.standing import Podium, Standing


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, what it says of a case, and the heading where room is scarce."""

    heading: str
    cell: Callable[[Standing], str]
    short: str
    is_text: bool = False


def unit_of(podium: Podium) -> Unit:
    """Choose the unit that fits every median of a table."""
    return Unit.for_longest(max((row.elapsed.estimate for row in podium.rows if row.elapsed), default=0.0))


def client_of(row: Standing) -> str:
    """Name the client, and whether it opened a connection per request."""
    return row.case.client if row.case.keep_alive else f"{row.case.client}/close"


def mark_of(podium: Podium, row: Standing) -> str:
    """Mark the fastest (*), what cannot be told from it (=), and rows with failed trials (!)."""
    tied = podium.conclusive and row.case.id in podium.ties
    place = "*" if row.case.id == podium.fastest else "=" if tied else ""
    return place + ("!" if row.failed else "")


def figures(podium: Podium) -> tuple[Column, ...]:
    """Return the columns that hold figures; who they are about comes before them."""
    unit = unit_of(podium)
    return (
        Column(f"median {unit.name}", lambda row: _elapsed(row, unit), f"median\n{unit.name}"),
        Column(
            "95% interval", lambda row: unit.bounds(row.elapsed) if row.elapsed else NOTHING, "95%\ninterval"
        ),
        Column("blocks", _blocks, "n"),
        Column("× seq", lambda row: times(row.times_faster), "×\nseq"),
        Column(
            "ideal", lambda row: NOTHING if row.efficiency is None else share(row.efficiency), "of\nideal"
        ),
        Column("in flight", lambda row: span(row.in_flight), "in\nflight"),
        Column("conns", lambda row: span(row.connections), "conns"),
        Column("verified", _verified, "veri-\nfied"),
        Column("404", lambda row: span(row.not_found), "404"),
        Column("errors", lambda row: span(row.errors), "err"),
    )


def identity(podium: Podium) -> tuple[Column, ...]:
    """Return the columns that say which case a row is about."""
    return (
        Column("", lambda row: mark_of(podium, row), "", is_text=True),
        Column("strategy", lambda row: row.case.strategy, "strategy", is_text=True),
        Column("client", client_of, "client", is_text=True),
        Column("workers", lambda row: str(row.case.workers), "workers"),
    )


def _elapsed(row: Standing, unit: Unit) -> str:
    if row.elapsed is not None:
        return unit.figure(row.elapsed.estimate)
    return row.failed[0].outcome if row.failed else NOTHING


def _blocks(row: Standing) -> str:
    return f"{row.blocks}/{row.blocks + len(row.failed)}" if row.failed else str(row.blocks)


def _verified(row: Standing) -> str:
    return f"{span(row.verified)}/{len(row.case.countries.fetches)}" if row.verified else NOTHING
