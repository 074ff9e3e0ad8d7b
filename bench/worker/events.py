"""Telling the harness of events as they happen, one line of JSON each, from any thread or process."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from bench.api import Fetch, Future
from bench.model.json_codec import MalformedError, encode, from_json_value, parse
from bench.model.text import one_line
from bench.worker.protocol import Report


@dataclass(frozen=True, slots=True)
class Fetched:
    """A fetch has ended."""

    country: str
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class FutureObserved:
    """A future was scheduled or is done; ``text`` is how it prints itself."""

    country: str
    text: str


@dataclass(frozen=True, slots=True)
class WarmedUp:
    """The untimed round is over; from now on nothing may disturb the worker."""


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A paced worker has done so many rounds, the warm-up included, and waits for a line."""

    rounds: int


Event: TypeAlias = Fetched | FutureObserved | WarmedUp | Awaiting | Report

_KINDS: Final[Mapping[str, type[Any]]] = {
    "fetched": Fetched,
    "future": FutureObserved,
    "warmed_up": WarmedUp,
    "awaiting": Awaiting,
    "report": Report,
}


def event_line(event: Event) -> str:
    """Write an event as ``{kind: …}``."""
    (kind,) = (name for name, each in _KINDS.items() if isinstance(event, each))
    return encode({kind: event})


def read_event(line: str | bytes) -> Event:
    """Read a line that a worker wrote.

    Raises:
        MalformedError: it is no event.
    """
    document = parse(line)
    if not isinstance(document, dict) or len(document) != 1 or not document.keys() <= _KINDS.keys():
        raise MalformedError(f"not an event: {str(document)[:80]!r}")
    ((kind, value),) = document.items()
    event: Event = from_json_value(_KINDS[kind], value, kind)
    return event


@dataclass(frozen=True, slots=True)
class EventWriter:
    """Write an event per line to a pipe; a pool's processes that were forked share it.

    POSIX writes up to ``PIPE_BUF``, 4,096 bytes on Linux and 512 at the least, whole and in one piece.
    The folded texts stay below the former in any script.
    """

    descriptor: int

    def fetched(self, fetch: Fetch) -> None:
        """Tell of a fetch that has ended."""
        self._tell(Fetched(fetch.country, fetch.outcome, one_line(fetch.detail)))

    def future(self, country: str, future: Future) -> None:
        """Tell of a future's state."""
        self._tell(FutureObserved(country, one_line(str(future))))

    def _tell(self, event: Event) -> None:
        os.write(self.descriptor, event_line(event).encode() + b"\n")
