"""The columns of a results table, once for the terminal and Markdown."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.report.figures import NOTHING, Unit, printable, share, span, times
from bench.stats.podium import Podium
from bench.stats.standing import Figures, Standing


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, what it says of a case, and the heading where room is scarce."""

    heading: str
    cell: Callable[[Standing], str]
    short: str
    is_text: bool = False


def unit_of(podium: Podium) -> Unit:
    """Choose the unit in which every median of a table can be read."""
    return Unit.for_shortest(
        min((row.figures.elapsed.estimate for row in podium.rows if row.figures), default=0.0)
    )


def client_of(row: Standing) -> str:
    """Name the client, and whether it opened a connection per request."""
    return printable(row.case.client if row.case.keep_alive else f"{row.case.client}/close")


def mark_of(podium: Podium, row: Standing) -> str:
    """Mark the fastest (*), what cannot be told from it (=), and rows with failed trials (!)."""
    place = "*" if row.case.id == podium.fastest else "=" if row.case.id in podium.ties else ""
    return place + ("!" if row.failed else "")


def figures(podium: Podium) -> tuple[Column, ...]:
    """Return all columns that hold figures; who they are about comes before them."""
    return (*timings(podium), *testimony())


def timings(podium: Podium) -> tuple[Column, ...]:
    """Return the columns on how long it took."""
    unit = unit_of(podium)
    return (
        Column(f"median {unit.name}", lambda row: _elapsed(row, unit), f"median\n{unit.name}"),
        _column("95% interval", lambda found: unit.bounds(found.elapsed), "95%\ninterval"),
        Column("blocks", _blocks, "n"),
        _column("× seq", lambda found: times(found.times_faster), "×\nseq"),
        _column("of ideal", lambda found: share(found.efficiency), "of\nideal"),
    )


def testimony() -> tuple[Column, ...]:
    """Return the columns on what really happened, as the server and the disk have it."""
    return (
        _column("in flight", lambda found: span(found.in_flight), "in\nflight"),
        _column("conns", lambda found: span(found.connections), "conns"),
        _column("verified", lambda found: span(found.verified), "veri-\nfied"),
        _column("404", lambda found: span(found.not_found), "404"),
        _column("errors", lambda found: span(found.errors), "err"),
    )


def identity(podium: Podium) -> tuple[Column, ...]:
    """Return the columns that say which case a row is about."""
    return (
        Column("", lambda row: mark_of(podium, row), "", is_text=True),
        Column("strategy", lambda row: printable(row.case.strategy), "strategy", is_text=True),
        Column("client", client_of, "client", is_text=True),
        Column("workers", lambda row: str(row.case.workers), "workers"),
    )


def _column(heading: str, cell: Callable[[Figures], str], short: str) -> Column:
    return Column(heading, lambda row: NOTHING if row.figures is None else cell(row.figures), short)


def _elapsed(row: Standing, unit: Unit) -> str:
    if row.figures is not None:
        return unit.figure(row.figures.elapsed.estimate)
    return row.failed[0].outcome if row.failed else NOTHING


def _blocks(row: Standing) -> str:
    return f"{row.blocks}/{row.blocks + len(row.failed)}" if row.failed else str(row.blocks)
