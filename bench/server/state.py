"""What a server serves and to whom: the resources, the rounds they are asked in, the open connections."""

from collections.abc import Collection, Mapping
from itertools import count
from time import perf_counter
from typing import Final, NamedTuple, Protocol, TypeAlias

from bench.model.flags import served_flags
from bench.server.open_trials import RoundLog, ServedRound, Trials
from bench.server.request_log import Writer
from bench.server.routes import Resource, Routes, without_origin
from bench.server.settings import ServerSettings
from bench.server.slow_requests import SlowRequests
from bench.server.trial_urls import TRIALS

_NOWHERE: Final = TRIALS.rstrip(b"/")

Visit: TypeAlias = tuple[ServedRound, Resource]
"""Where a request leads: into which round, and to what."""


class Entry(NamedTuple):
    """How a connection came in: its number, from 1, and when it was accepted."""

    number: int
    accepted_s: float


class Connection(Protocol):
    """What a site asks of a connection that is open."""

    def owes(self, rounds: Collection[ServedRound]) -> bool:
        """Tell whether a request of one of these rounds still waits for its answer."""

    def drop(self) -> None:
        """Log every request that waits as unanswered, and end the connection now."""


class ServerState:
    """Everything the connections of one server share.

    Attributes:
        laggards: those whose request has begun and is not complete.
        waits: how often somebody was seen to wait for being let in, since there was no room.
    """

    def __init__(self, routes: Routes, trials: Trials, public: ServedRound) -> None:
        self.trials = trials
        self.public = public
        self.laggards = SlowRequests()
        self.waits = 0
        self._routes = routes
        self._visits: dict[bytes, Visit] = {}
        self._numbers = count(1)
        self._connections: dict[int, Connection] = {}

    def visit(self, target: bytes) -> Visit:
        """Find what the target of a request leads to; below an unknown prefix there is nothing."""
        return self._visits.get(target) or self._find(target)

    def close_trial(self, name: str) -> Mapping[int, RoundLog]:
        """Close a trial, account for its unanswered requests, and forget what led to it."""
        rounds = self.trials.rounds(name)
        for connection in tuple(self._connections.values()):
            if connection.owes(rounds):
                connection.drop()
        self._visits.clear()
        return self.trials.close(name)

    def enter(self, connection: Connection, accepted_s: float | None = None) -> Entry:
        """Number a connection that has been accepted at this time, or just now."""
        entry = Entry(next(self._numbers), perf_counter() if accepted_s is None else accepted_s)
        self._connections[entry.number] = connection
        return entry

    def keep_waiting(self) -> None:
        """Take note that somebody has to wait for being let in."""
        self.waits += 1

    def leave(self, entry: Entry) -> None:
        """Forget a connection that has ended."""
        del self._connections[entry.number]

    def clear(self) -> None:
        """End every connection."""
        for connection in tuple(self._connections.values()):
            connection.drop()

    def _find(self, target: bytes) -> Visit:
        if not target.startswith(b"/"):
            target = without_origin(target)
        if not target.startswith(TRIALS):
            return self.public, self._routes.find(target)
        slash = target.find(b"/", len(TRIALS))
        served = self.trials.find(target[len(TRIALS) : slash]) if slash > 0 else None
        if served is None:
            return self.public, self._routes.find(_NOWHERE)
        visit = served, self._routes.find(target[slash:])
        if visit[1].is_found:
            self._visits[target] = visit
        return visit


def new_state(settings: ServerSettings, write: Writer | None) -> ServerState:
    """Furnish a site; ``write`` takes down what is asked outside any trial, ``None`` keeps nothing of it."""
    public = ServedRound(settings.profile, settings.seed, 0, write or _forget)
    return ServerState(Routes(served_flags(settings.flags_dir)), Trials(settings.seed), public)


def _forget(*record: object) -> None:
    """Keep nothing: nobody will ask for it, and a server may run for days."""
