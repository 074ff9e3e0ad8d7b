"""Multiply the axes of a config to its cases.

The schema checks their number, the loader takes the cases.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from bench.config.compatibility import (
    StrategyEntry,
    fits,
    missing_dependency,
    unsupported_keep_alive,
    unsupported_limit,
    unsupported_protocol,
)
from bench.config.schedulers import default_schedulers
from bench.model.cases import NO_CLIENT, Case, Client, Profile, Selection, Strategy, Unknown
from bench.model.profile_presets import preset
from bench.model.scheduler import EMBEDDED, Scheduler
from bench.model.text import join_or
from bench.model.work import Work

_TARGET: Final = "target"
"""The name of the profile of all cases that are measured against a target."""
AXIS_KEYS: Final = {
    "strategies", "clients", "workers", "keep_alive", "connection_limit", "scheduler", "countries", "process",
    "profile", "profiles", "target", "rate", "rates",
}  # fmt: skip
"""The keys of a config that make its axes."""


@dataclass(frozen=True, slots=True)
class Axes:
    """The values that are multiplied; the settings of a strategy's entry take precedence."""

    strategies: tuple[StrategyEntry, ...]
    clients: tuple[Client, ...]
    workers: tuple[int, ...]
    keep_alive: tuple[bool, ...]
    limits: tuple[int | None, ...]
    schedulers: tuple[Scheduler, ...]
    profiles: tuple[Profile, ...]
    countries: tuple[Selection, ...]
    work: tuple[Work, ...]
    rates: tuple[float, ...] = (0.0,)

    @property
    def most(self) -> int:
        """The largest possible number of cases; some may turn out to be equal, or impossible."""
        return (
            sum(
                len(entry.clients or self.clients)
                * len(entry.workers or self.workers)
                * len(entry.keep_alive or self.keep_alive)
                * (len(self.schedulers) if entry.strategy.uses_cluster else 1)
                for entry in self.strategies
            )
            * len(self.profiles)
            * len(self.limits)
            * len(self.countries)
            * len(self.work)
            * len(self.rates)
        )

    def cases(self, *, installed: bool) -> tuple[Case, ...]:
        """Return the cases in the config's order, with everything or only with what is installed."""
        entries = (each for each in self.strategies if not (installed and each.strategy.unavailable))
        cases = (case for entry in entries for case in self._cases(entry, installed=installed))
        return tuple(dict.fromkeys(cases))

    def omissions(self) -> Iterator[str]:
        """Yield a sentence for each strategy or client without cases, and one on workers beyond the fetches.

        Only clients of the file are left out: a config is refused if it cannot use that of an entry.
        """
        unavailable = (entry.strategy for entry in self.strategies if entry.strategy.unavailable)
        yield from dict.fromkeys(f"Skipped: {each.name} {each.unavailable}." for each in unavailable)
        sharing = [entry.strategy for entry in self.strategies if entry.clients is None]
        used = [client for client in self.clients if any(fits(strategy, client) for strategy in sharing)]
        for client in used:
            if missing := missing_dependency(client):
                yield f"Skipped: {missing}."
        for client, profile in product(used, self.profiles):
            if not client.missing and (reason := unsupported_protocol(client, profile)):
                yield f"Skipped: {client.name} in profile {profile.name}, because it {reason}."
        for client in used:
            settings = [
                kept
                for entry in self.strategies
                if entry.clients is None and fits(entry.strategy, client)
                for kept in entry.keep_alive or self.keep_alive
            ]
            if not client.missing and (reason := unsupported_keep_alive(client, settings)):
                yield f"Skipped: {client.name} with 'keep_alive: true', because it {reason}."
        yield from self._unlimited(used)
        asked = [
            count
            for entry in self.strategies
            if entry.strategy.takes_workers
            for count in entry.workers or self.workers
        ]
        for fetches in sorted({each.count for each in self.countries}):
            if capped := dict.fromkeys(count for count in asked if count > fetches):
                yield f"Capped: {', '.join(map(str, capped))} workers run as {fetches}, one for each fetch."

    def _unlimited(self, clients: Sequence[Client]) -> Iterator[str]:
        """Yield a sentence for each strategy and client whose cases a limit of connections leaves out."""
        fetches, reasons = max(each.count for each in self.countries), list[str]()
        for entry, profile in product(self.strategies, self.profiles):
            most = max(self._counts(entry.strategy, entry.workers or self.workers, fetches))
            below = [str(limit) for limit in self.limits if limit is not None and limit < most]
            if "connection_limit" in entry.strategy.needs and profile.http2:
                what = "its cases are"
            elif below:
                what = f"'connection_limit: {join_or(below)}' is"
            else:
                continue
            reasons += [
                f"Skipped: {entry.strategy.name} {reason}, so {what} left out."
                for client in (entry.clients or clients if entry.strategy.face else (None,))
                if client is None or fits(entry.strategy, client)
                if (reason := unsupported_limit(entry.strategy, client, profile))
            ]
        yield from dict.fromkeys(reasons)

    @staticmethod
    def _counts(strategy: Strategy, workers: Sequence[int], fetches: int) -> list[int]:
        """Return the numbers of workers of a strategy's cases, each once."""
        asked = workers if strategy.takes_workers else (1,)
        if strategy.chooses_workers:
            asked = (fetches,)
        return list(dict.fromkeys(min(count, fetches) for count in asked))

    def _cases(self, entry: StrategyEntry, *, installed: bool) -> Iterator[Case]:
        strategy = entry.strategy
        workers = [
            (countries, count)
            for countries in self.countries
            for count in self._counts(strategy, entry.workers or self.workers, countries.count)
        ]
        clients = self._clients(entry, installed=installed)
        places = [each.address for each in self.schedulers] if strategy.uses_cluster else [EMBEDDED]
        axes = (entry.keep_alive or self.keep_alive, self.limits, self.profiles, places, self.rates)
        for client, (countries, count), work, asked_keep_alive, asked_limit, profile, place, rate in product(
            clients, workers, self.work, *axes
        ):
            decides_itself = strategy.call.is_foreign or (client is not None and client.is_function)
            keep_alive = asked_keep_alive or decides_itself
            limit = asked_limit if asked_limit is not None and asked_limit < count else 0
            if client is not None and (
                unsupported_protocol(client, profile) or unsupported_keep_alive(client, [keep_alive])
            ):
                continue
            is_limited = "connection_limit" in strategy.needs
            if (limit or (is_limited and profile.http2)) and unsupported_limit(strategy, client, profile):
                continue
            yield Case(
                strategy.name,
                NO_CLIENT if client is None else client.name,
                count,
                profile,
                countries,
                keep_alive,
                has_own_workers=strategy.chooses_workers,
                is_limited_by_client=is_limited,
                connections=limit,
                scheduler=place,
                work=work,
                rate=rate,
                has_other_rates=len(self.rates) > 1,
            )

    def _clients(self, entry: StrategyEntry, *, installed: bool) -> list[Client] | list[None]:
        if entry.strategy.face is None:
            return [None]
        fitting = [client for client in entry.clients or self.clients if fits(entry.strategy, client)]
        return [client for client in fitting if not (installed and client.missing)]


def target_profile(url: str) -> Profile:
    """Return the profile of the cases of a target: nothing is known of its delays."""
    return Profile(_TARGET, Unknown(), tls=url.startswith("https:"), server=url)


def axes_of(values: Mapping[str, Any]) -> Axes:
    """Return the axes from the valid values of ``AXIS_KEYS``; the profile is ``local`` by default.

    A target has a profile of its own, and its own files in place of countries if it lists any. Without a
    strategy for clusters, the environment variable of their scheduler is not read.

    Raises:
        ValueError: that variable is wrong.
    """
    if (target := values["target"]) is not None:
        values = {
            **values,
            "profile": target_profile(target.url),
            "profiles": None,
            "countries": values["countries"] if target.selection is None else (target.selection,),
        }
    uses_cluster = any(entry.strategy.uses_cluster for entry in values["strategies"])
    return Axes(
        values["strategies"],
        values["clients"],
        values["workers"],
        values["keep_alive"],
        values["connection_limit"],
        values["scheduler"] or (default_schedulers(os.environ) if uses_cluster else (Scheduler(),)),
        values["profiles"] or (values["profile"] or preset("local"),),
        values["countries"],
        values["process"],
        values["rates"] or (values["rate"] or 0.0,),
    )
