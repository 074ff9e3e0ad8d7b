"""The events of a worker for the runner, their writer and reader.

An event is one line of JSON.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
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
    """A future was scheduled or is done; ``text`` is its ``str()``."""

    country: str
    text: str


@dataclass(frozen=True, slots=True)
class WarmedUp:
    """The warm-up is over; from now on nothing may disturb the worker."""


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A paced worker has done this many rounds, the warm-up included, and waits for the next command."""

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
    """Encode an event as ``{kind: …}``."""
    (kind,) = (name for name, type_ in _KINDS.items() if isinstance(event, type_))
    return encode({kind: event})


def read_event(line: str | bytes) -> Event:
    """Decode a line that a worker wrote.

    Raises:
        MalformedError: the line is not an event.
    """
    document = parse(line)
    if not isinstance(document, dict) or len(document) != 1 or not document.keys() <= _KINDS.keys():
        raise MalformedError(f"not an event: {str(document)[:80]!r}")
    ((kind, value),) = document.items()
    event: Event = from_json_value(_KINDS[kind], value, kind)
    if isinstance(event, Report) and event.outcome in {"crash", "timeout"}:
        raise MalformedError(f"a worker cannot report a {event.outcome}")
    return event


@dataclass(frozen=True, slots=True)
class EventWriter:
    """Write one event per line to a pipe that all threads and forked processes share.

    POSIX writes up to ``PIPE_BUF`` bytes in one piece: 4,096 on Linux, at least 512. The events of fetches
    and futures stay below the former in any script, as their texts are folded; a report is the last event.
    """

    descriptor: int

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the pipe by its place in ``/proc``: a process that was not forked has not inherited it.

        Where there is no such place, ``multiprocessing`` hands the pipe over.
        """
        pid = os.getpid()
        if _is_there(pid, self.descriptor):
            return _reopen, (pid, self.descriptor)
        # late: it loads ssl, and the worker must start quickly
        from multiprocessing import reduction

        return _receive, (reduction.DupFd(self.descriptor),)

    def fetched(self, fetch: Fetch) -> None:
        """Write that a fetch has ended."""
        self.write(Fetched(fetch.country, fetch.outcome, one_line(fetch.detail)))

    def future(self, country: str, future: Future) -> None:
        """Write the state of a future."""
        self.write(FutureObserved(country, one_line(str(future))))

    def write(self, event: Event) -> None:
        """Write an event; a pipe may take a long line in parts."""
        left = memoryview(event_line(event).encode() + b"\n")
        while left:
            left = left[os.write(self.descriptor, left) :]


def _is_there(pid: int, descriptor: int) -> bool:
    """Tell whether ``/proc`` has the descriptor of this process; it may be that of another namespace."""
    try:
        return os.path.samestat(os.stat(f"/proc/{pid}/fd/{descriptor}"), os.fstat(descriptor))  # noqa: PTH116
    except OSError:
        return False


def _receive(pipe: Any) -> EventWriter:
    """Take over a pipe that another process hands over."""
    return EventWriter(pipe.detach())


@cache
def _reopen(pid: int, descriptor: int) -> EventWriter:
    """Open the pipe of another process once."""
    return EventWriter(os.open(f"/proc/{pid}/fd/{descriptor}", os.O_WRONLY))
