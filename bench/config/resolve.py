"""From a sound config to the cases of an experiment."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

from bench.api.outcomes import FetchOutcome
from bench.config.compatibility import fits, missing_dependency
from bench.config.profiles import partly_too_slow
from bench.config.protocol_support import unsupported_protocol
from bench.config.schema import ConfigForm
from bench.config.thresholds import bounds_of, margins_of
from bench.model.cases import Experiment
from bench.model.comparison import ComparisonSettings

_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")


def resolve(form: ConfigForm, stem: str, source: Mapping[str, object]) -> Experiment:
    """Build the experiment: strategy × client × workers × keep-alive × profile, in the config's order.

    ``stem`` is that of the config's file, which names an experiment that has no name of its own;
    ``source`` is the config as written.
    """
    return Experiment(
        name=form.name or _name_from(stem),
        cases=form.axes.cases(installed=True),
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
        terms=_terms(form),
    )


def _terms(form: ConfigForm) -> ComparisonSettings:
    """Return what the config says of a contest, its own margins after the usual one."""
    variants = None
    if form.variants is not None:
        base, candidate = form.variants
        variants = (base, candidate)
    thresholds = form.thresholds or {}
    margins = (*ComparisonSettings().margins, *margins_of(thresholds))
    return ComparisonSettings(variants, form.metrics, margins, bounds_of(thresholds))


def _deviations(form: ConfigForm) -> Mapping[str, Mapping[str, FetchOutcome]]:
    named = [client for entry in form.strategies for client in entry.clients or form.clients]
    return {client.name: client.deviations for client in named if client.deviations}


def _notes(form: ConfigForm) -> Iterator[str]:
    general = [entry.name for entry in form.strategies if entry.clients is None]
    for client in form.clients:
        if client.missing and any(fits(strategy, client) for strategy in general):
            yield f"Left out: {missing_dependency(client)}."
    for client, profile in product(form.clients, form.axes.profiles):
        is_wanted = not client.missing and any(fits(strategy, client) for strategy in general)
        if is_wanted and (reason := unsupported_protocol(client, profile)):
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
    for profile in form.axes.profiles:
        if reason := partly_too_slow(profile, form.request_timeout):
            yield f"Profile {profile.name}: {reason}."


def _name_from(stem: str) -> str:
    return _UNFIT.sub("-", stem).lstrip("-._")[:64] or "config"
