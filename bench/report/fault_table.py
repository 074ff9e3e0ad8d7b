"""Build the table of faults, for `list faults` and the docs."""

from collections.abc import Iterable, Iterator
from typing import Final

from bench.model.cases import Client
from bench.model.faults import KINDS, Kind
from bench.report.table import Column, Row, Section, Table

_COLUMNS: Final = (
    Column("fault", "left", is_code=True),
    Column("class", "left"),
    Column("over", "left", is_optional=True),
    Column("what the server does", "left", wraps=True),
)


def fault_table(clients: Iterable[Client]) -> Table:
    """Build a row for each kind of fault: the outcome of its fetch, its protocols, and its effect."""
    known = tuple(clients)
    rows = (
        Row((name, _outcome(name, kind), _protocols(kind), _effect(name, kind, known)))
        for name, kind in KINDS.items()
    )
    return Table(columns=_COLUMNS, sections=(Section("", tuple(rows)),))


def _outcome(name: str, kind: Kind) -> str:
    return "by its status" if name == "status" else kind.outcome


def _protocols(kind: Kind) -> str:
    over_http1 = "TLS" if kind.needs_tls else "HTTP/1.1, TLS"
    spoken = [over_http1] if kind.http1 != "none" else []
    if kind.http2 != "none":
        spoken.append("HTTP/2, shared by none" if kind.http2 == "connection" else "HTTP/2")
    return ", ".join(spoken)


def _effect(name: str, kind: Kind, clients: Iterable[Client]) -> str:
    return "; ".join((kind.summary, *_deviations(name, clients)))


def _deviations(name: str, clients: Iterable[Client]) -> Iterator[str]:
    """Name the clients that report a fault as another outcome, a clause for each outcome."""
    seen: dict[str, list[str]] = {}
    for client in clients:
        if outcome := client.deviations.get(name):
            seen.setdefault(outcome, []).append(client.name)
    for other, names in seen.items():
        yield f"over HTTP/1.1 it is {other} to {', '.join(names)}, which cannot see it"
