"""Hold the state that all connections of a server share: resources, rounds, connections and limits."""

from collections.abc import Collection, Mapping
from itertools import count
from time import perf_counter
from typing import Final, Protocol, TypeAlias

from bench.model.cases import Profile
from bench.model.flags import served_flags
from bench.model.served_trials import Opening
from bench.model.server_settings import ServerSettings
from bench.server.connection_limits import DEFAULT_LIMITS, ConnectionLimits
from bench.server.open_trials import TRIALS_PREFIX, OpenTrials, RoundLog
from bench.server.request_log import ConnectionInfo, WriteRecord
from bench.server.routes import Resource, Routes, RoutesOfProfiles, drop_folders, strip_origin
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
        waits: how often clients were found waiting because no descriptor was left for them.
    """

    def __init__(
        self,
        routes: RoutesOfProfiles,
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
        self._routes = routes
        self._public_routes = routes.find(public.profile)
        self._routes_of_rounds: dict[ServedRound, Routes] = {}
        self._targets: dict[bytes, RequestTarget] = {}
        self._numbers = count(1)

    def find_target(self, target: bytes) -> RequestTarget:
        """Find the round and the resource of a request's target; an unknown trial has no resources."""
        return self._targets.get(target) or self._look_up(target)

    def open_trial(self, opening: Opening) -> None:
        """Open a trial; what its profile serves is built now, and not in a round."""
        self.trials.open(opening)
        self._routes.find(opening.profile)

    def flag_sizes(self, profile: Profile) -> Mapping[str, int]:
        """Return the bytes of each flag of a profile, by country."""
        return self._routes.find(profile).flag_sizes

    def close_trial(self, name: str) -> Mapping[int, RoundLog]:
        """Close a trial, and abort the connections of its waiting requests."""
        rounds = self.trials.rounds(name)
        for connection in tuple(self.connections.values()):
            if connection.has_pending(rounds):
                connection.abort()
        self._targets.clear()
        self._routes_of_rounds.clear()
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
            return self.public, self._public_routes.find(target)
        slash = target.find(b"/", len(TRIALS_PREFIX))
        segment = target[len(TRIALS_PREFIX) : slash]
        if slash > 0 and (numbered := self.trials.number_current(segment)) is not None:
            return self.find_target(TRIALS_PREFIX + numbered + drop_folders(target[slash:]))
        served = self.trials.find_round(segment) if slash > 0 else None
        if served is None:
            return self.public, self._public_routes.find(_NOT_A_RESOURCE)
        routes = self._routes_of_rounds.get(served)
        if routes is None:
            routes = self._routes_of_rounds[served] = self._routes.find(served.profile)
        found = served, routes.find(target[slash:])
        if found[1].is_found:
            self._targets[target] = found
        return found


def new_state(settings: ServerSettings, write: WriteRecord | None) -> ServerState:
    """Create the server state; ``write`` logs the requests outside trials (None: no log)."""
    public = ServedRound(settings.profile, settings.seed, 0, write or _ignore)
    routes = RoutesOfProfiles(served_flags(settings.flags_dir), settings.seed)
    return ServerState(routes, OpenTrials(settings.seed), public)


def _ignore(*record: object) -> None:
    """Drop a record: nothing reads it, and a server may run for days."""
