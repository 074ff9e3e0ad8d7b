"""Hold the state that all connections of a server share: resources, rounds, connections and limits."""

from collections.abc import Collection, Mapping
from itertools import count
from time import perf_counter
from typing import Final, Protocol, TypeAlias

from bench.model.flags import served_flags
from bench.model.server_settings import ServerSettings
from bench.server.connection_limits import DEFAULT_LIMITS, ConnectionLimits
from bench.server.open_trials import TRIALS_PREFIX, OpenTrials, RoundLog
from bench.server.request_log import ConnectionInfo, WriteRecord
from bench.server.routes import Resource, Routes, drop_folders, strip_origin
from bench.server.served_round import ServedRound
from bench.server.slow_requests import SlowRequests

_NOT_A_RESOURCE: Final = TRIALS_PREFIX.rstrip(b"/")

RequestTarget: TypeAlias = tuple[ServedRound, Resource]
"""The round and the resource that a request is for."""


class Connection(Protocol):
    """An open connection."""

    def has_pending(self, rounds: Collection[ServedRound]) -> bool:
        """Tell whether a request of one of these rounds waits for its response."""

    def abort(self) -> None:
        """Log every waiting request as unanswered, and end the connection now."""


class ServerState:
    """The state that all connections of a server share.

    Attributes:
        public: the round of requests outside any trial.
        flag_sizes: bytes of each flag, by country.
        waits: how often clients were found waiting because no descriptor was left for them.
    """

    def __init__(
        self,
        routes: Routes,
        trials: OpenTrials,
        public: ServedRound,
        limits: ConnectionLimits = DEFAULT_LIMITS,
    ) -> None:
        self.trials = trials
        self.public = public
        self.limits = limits
        self.slow_requests = SlowRequests(limits)
        self.waits = 0
        self.connections: dict[int, Connection] = {}
        self.flag_sizes = routes.flag_sizes
        self._routes = routes
        self._targets: dict[bytes, RequestTarget] = {}
        self._numbers = count(1)

    def find_target(self, target: bytes) -> RequestTarget:
        """Find the round and the resource of a request's target; an unknown trial has no resources."""
        return self._targets.get(target) or self._look_up(target)

    def close_trial(self, name: str) -> Mapping[int, RoundLog]:
        """Close a trial, and abort the connections of its waiting requests."""
        rounds = self.trials.rounds(name)
        for connection in tuple(self.connections.values()):
            if connection.has_pending(rounds):
                connection.abort()
        self._targets.clear()
        return self.trials.close(name)

    def add_connection(self, connection: Connection, accepted_s: float | None = None) -> ConnectionInfo:
        """Number a connection that was accepted at this time, or just now."""
        info = ConnectionInfo(next(self._numbers), perf_counter() if accepted_s is None else accepted_s)
        self.connections[info.number] = connection
        return info

    def remove_connection(self, info: ConnectionInfo) -> None:
        """Forget a connection that has ended."""
        self.trials.note_connection_end()
        del self.connections[info.number]

    def count_wait(self) -> None:
        """Count that clients had to wait for a descriptor."""
        self.waits += 1

    def abort_connections(self) -> None:
        """End every connection."""
        for connection in tuple(self.connections.values()):
            connection.abort()

    def _look_up(self, target: bytes) -> RequestTarget:
        if not target.startswith(b"/"):
            target = strip_origin(target)
        if not target.startswith(TRIALS_PREFIX):
            return self.public, self._routes.find(target)
        slash = target.find(b"/", len(TRIALS_PREFIX))
        segment = target[len(TRIALS_PREFIX) : slash]
        if slash > 0 and (numbered := self.trials.number_current(segment)) is not None:
            return self.find_target(TRIALS_PREFIX + numbered + drop_folders(target[slash:]))
        served = self.trials.find_round(segment) if slash > 0 else None
        if served is None:
            return self.public, self._routes.find(_NOT_A_RESOURCE)
        found = served, self._routes.find(target[slash:])
        if found[1].is_found:
            self._targets[target] = found
        return found


def new_state(settings: ServerSettings, write: WriteRecord | None) -> ServerState:
    """Create the server state; ``write`` logs the requests outside trials (None: no log)."""
    public = ServedRound(settings.profile, settings.seed, 0, write or _ignore)
    return ServerState(Routes(served_flags(settings.flags_dir)), OpenTrials(settings.seed), public)


def _ignore(*record: object) -> None:
    """Drop a record: nothing reads it, and a server may run for days."""
