"""What a server serves and to whom: the resources, the rounds they are asked in, the open connections."""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Final, TypeAlias

from bench.server.flags import served_flags
from bench.server.log import Log, Writer
from bench.server.routes import Resource, Routes, without_origin
from bench.server.settings import ServerSettings
from bench.server.trials import ServedRound, Trials

_PREFIX: Final = b"/-/"
_NOWHERE: Final = b"/-"


Visit: TypeAlias = tuple[ServedRound, Resource]
"""Where a request leads: into which round, and to what."""


class Site:
    """Everything the connections of one server share."""

    def __init__(self, routes: Routes, trials: Trials, public: ServedRound) -> None:
        self.trials = trials
        self.public = public
        self._routes = routes
        self._visits: dict[bytes, Visit] = {}
        self._numbers = count(1)
        self._leave: dict[int, Callable[[], None]] = {}

    def visit(self, target: bytes) -> Visit:
        """Find what the target of a request leads to; below an unknown prefix there is nothing."""
        return self._visits.get(target) or self._find(target)

    def close_trial(self, name: str) -> Mapping[int, Log]:
        """Close a trial, and forget what led to it."""
        self._visits.clear()
        return self.trials.close(name)

    def enter(self, abort: Callable[[], None]) -> int:
        """Number a new connection; ``abort`` ends it when the server does."""
        number = next(self._numbers)
        self._leave[number] = abort
        return number

    def leave(self, number: int) -> None:
        """Forget a connection that has ended."""
        del self._leave[number]

    def clear(self) -> None:
        """End every connection."""
        for abort in tuple(self._leave.values()):
            abort()

    def _find(self, target: bytes) -> Visit:
        if not target.startswith(b"/"):
            target = without_origin(target)
        if not target.startswith(_PREFIX):
            return self.public, self._routes.find(target)
        slash = target.find(b"/", len(_PREFIX))
        served = self.trials.find(target[len(_PREFIX) : slash]) if slash > 0 else None
        if served is None:
            return self.public, self._routes.find(_NOWHERE)
        visit = served, self._routes.find(target[slash:])
        if visit[1].is_found:
            self._visits[target] = visit
        return visit


def new_site(settings: ServerSettings, write: Writer | None) -> Site:
    """Furnish a site; ``write`` takes down what is asked outside any trial, ``None`` keeps nothing of it."""
    public = ServedRound(settings.profile, settings.seed, 0, write or _forget)
    return Site(Routes(served_flags(settings.flags_dir)), Trials(settings.seed), public)


def _forget(*record: object) -> None:
    """Keep nothing: nobody will ask for it, and a server may run for days."""
