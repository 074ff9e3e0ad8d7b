"""The table of faults: in which class each ends, over what, and which client sees it otherwise."""

from collections.abc import Iterable, Iterator
from typing import Final

from bench.model.cases import Client
from bench.model.faults import KINDS, Kind
from bench.report.markdown import escape_cell, escape_text

_HEADINGS: Final = ("fault", "class", "over", "what the server does")
FAULT_HEADINGS: Final = ("fault", "class", "what the server does")


def fault_rows(clients: Iterable[Client]) -> list[tuple[str, ...]]:
    """Return a row for each kind of fault, under the narrow headings, for a terminal."""
    return [(name, outcome, does) for name, outcome, _, does in _rows(clients)]


def _rows(clients: Iterable[Client]) -> list[tuple[str, str, str, str]]:
    known = tuple(clients)
    return [
        (name, _outcome(name, kind), _over(kind), _does(name, kind, known)) for name, kind in KINDS.items()
    ]


def faults_to_markdown(clients: Iterable[Client]) -> str:
    """Write the table as GitHub-flavoured Markdown."""
    rows = [
        escape_cell([f"`{name}`", escape_text(outcome), over, escape_text(does)])
        for name, outcome, over, does in _rows(clients)
    ]
    return "\n".join([escape_cell(_HEADINGS), escape_cell(["---"] * len(_HEADINGS)), *rows]) + "\n"


def _outcome(name: str, kind: Kind) -> str:
    return "by its status" if name == "status" else kind.outcome


def _over(kind: Kind) -> str:
    """Name the protocols that can have a fault."""
    over_http1 = "TLS" if kind.needs_tls else "HTTP/1.1, TLS"
    spoken = [over_http1] if kind.http1 != "none" else []
    if kind.http2 != "none":
        spoken.append("HTTP/2, shared by none" if kind.http2 == "connection" else "HTTP/2")
    return ", ".join(spoken)


def _does(name: str, kind: Kind, clients: Iterable[Client]) -> str:
    return "; ".join([kind.summary, *_deviations(name, clients)])


def _deviations(name: str, clients: Iterable[Client]) -> Iterator[str]:
    """Say which clients see a fault otherwise, by what they see."""
    seen: dict[str, list[str]] = {}
    for client in clients:
        if outcome := client.deviations.get(name):
            seen.setdefault(outcome, []).append(client.name)
    for other, names in seen.items():
        yield f"over HTTP/1.1 it is {other} to {', '.join(names)}, which cannot see it"
