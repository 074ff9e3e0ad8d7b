"""Which cases a config's settings make: their product, without what cannot be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from bench.config.compatibility import fits
from bench.config.protocol_support import supports
from bench.config.strategies import StrategyForm
from bench.model.cases import NO_CLIENT, Case, Client, Profile, Selection
from bench.model.profile_presets import preset

_KEYS: Final = {"strategies", "clients", "workers", "keep_alive", "countries", "profile", "profiles"}


@dataclass(frozen=True, slots=True)
class Axes:
    """What is multiplied; a strategy's own settings stand in place of these."""

    strategies: tuple[StrategyForm, ...]
    clients: tuple[Client, ...]
    workers: tuple[int, ...]
    keep_alive: tuple[bool, ...]
    profiles: tuple[Profile, ...]
    countries: Selection

    @property
    def most(self) -> int:
        """How many cases there can be; some may turn out to be the same, or to be impossible."""
        return sum(
            len(entry.clients or self.clients)
            * len(entry.workers or self.workers)
            * len(entry.keep_alive or self.keep_alive)
            for entry in self.strategies
        ) * len(self.profiles)

    def cases(self, *, installed: bool) -> tuple[Case, ...]:
        """Multiply them in the config's order, with installed clients alone or with all that are named."""
        found = (case for entry in self.strategies for case in self._cases(entry, installed=installed))
        return tuple(dict.fromkeys(found))

    def _cases(self, entry: StrategyForm, *, installed: bool) -> Iterator[Case]:
        strategy = entry.name
        fetches = len(self.countries.codes) * self.countries.repeat
        asked = (entry.workers or self.workers) if strategy.takes_workers else (1,)
        workers = dict.fromkeys(min(count, fetches) for count in asked)
        clients = self._clients(entry, installed=installed)
        for client, count, keep_alive, profile in product(
            clients, workers, entry.keep_alive or self.keep_alive, self.profiles
        ):
            if client is None or supports(client, profile):
                name = NO_CLIENT if client is None else client.name
                yield Case(strategy.name, name, count, profile, self.countries, keep_alive)

    def _clients(self, entry: StrategyForm, *, installed: bool) -> list[Client] | list[None]:
        if entry.name.face is None:
            return [None]
        fitting = [client for client in entry.clients or self.clients if fits(entry.name, client)]
        return [client for client in fitting if not (installed and client.missing)]


def axes_of(data: Mapping[str, Any]) -> Axes | None:
    """Return what the values of a config's keys say; ``None`` where one that is needed is not sound."""
    return sound_axes(data) if data.keys() >= _KEYS else None


def sound_axes(data: Mapping[str, Any]) -> Axes:
    """Return what sound values say; the chapter's local server where no profile is named."""
    return Axes(
        data["strategies"],
        data["clients"],
        data["workers"],
        data["keep_alive"],
        data["profiles"] or (data["profile"] or preset("local"),),
        data["countries"],
    )
