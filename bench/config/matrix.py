"""From a sound config to the cases of an experiment."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

from bench.config.pairing import absence, fits
from bench.config.profiles import partly_too_slow
from bench.config.schema import ConfigForm
from bench.config.speaking import silence, speaks
from bench.config.strategies import StrategyForm
from bench.model import NO_CLIENT, Case, Client, Experiment
from bench.outcomes import FetchOutcome

_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")


def resolve(form: ConfigForm, stem: str, source: Mapping[str, object]) -> Experiment:
    """Build the experiment: strategy × client × workers × keep-alive × profile, in the config's order.

    ``stem`` is that of the config's file, which names an experiment that has no name of its own;
    ``source`` is the config as written.
    """
    cases = tuple(dict.fromkeys(case for entry in form.strategies for case in _cases(form, entry)))
    return Experiment(
        name=form.name or _name_from(stem),
        cases=cases,
        strategies={entry.name.name: entry.name for entry in form.strategies},
        blocks=form.all_blocks.most,
        rounds=form.rounds,
        deadline_s=form.deadline,
        request_timeout_s=form.request_timeout,
        seed=form.seed,
        flags_dir=form.flags_dir,
        source=source,
        notes=tuple(_notes(form)),
        stopping=form.stopping,
        probes=form.probes,
        pinning=form.pinning,
        disturbed=form.disturbed,
        deviations=_deviations(form),
    )


def _cases(form: ConfigForm, entry: StrategyForm) -> Iterator[Case]:
    strategy = entry.name
    fetches = len(form.countries.fetches)
    asked = (entry.workers or form.workers) if strategy.takes_workers else (1,)
    workers = dict.fromkeys(min(count, fetches) for count in asked)
    axes = product(_clients(form, entry), workers, entry.keep_alive or form.keep_alive, form.all_profiles)
    for client, count, keep_alive, profile in axes:
        if client is None or speaks(client, profile):
            name = NO_CLIENT if client is None else client.name
            yield Case(strategy.name, name, count, profile, form.countries, keep_alive)


def _clients(form: ConfigForm, entry: StrategyForm) -> list[Client] | list[None]:
    if entry.name.face is None:
        return [None]
    return [client for client in entry.clients or form.clients if _serves(client, entry)]


def _deviations(form: ConfigForm) -> Mapping[str, Mapping[str, FetchOutcome]]:
    named = [client for entry in form.strategies for client in entry.clients or form.clients]
    return {client.name: client.deviations for client in named if client.deviations}


def _serves(client: Client, entry: StrategyForm) -> bool:
    return fits(entry.name, client) and not client.missing


def _notes(form: ConfigForm) -> Iterator[str]:
    general = [entry.name for entry in form.strategies if entry.clients is None]
    for client in form.clients:
        if client.missing and any(fits(strategy, client) for strategy in general):
            yield f"Left out: {absence(client)}."
    for client, profile in product(form.clients, form.all_profiles):
        is_wanted = not client.missing and any(fits(strategy, client) for strategy in general)
        if is_wanted and (reason := silence(client, profile)):
            yield f"Left out: {client.name} in profile {profile.name}, for it {reason}."
    fetches = len(form.countries.fetches)
    counts = dict.fromkeys(
        count
        for entry in form.strategies
        if entry.name.takes_workers
        for count in entry.workers or form.workers
        if count > fetches
    )
    if counts:
        yield f"Capped: {', '.join(map(str, counts))} workers run as {fetches}, one for each fetch."
    for profile in form.all_profiles:
        if reason := partly_too_slow(profile, form.request_timeout):
            yield f"Profile {profile.name}: {reason}."


def _name_from(stem: str) -> str:
    return _UNFIT.sub("-", stem).lstrip("-._")[:64] or "config"
