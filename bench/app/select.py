"""Load an experiment, strategy or client by its name on the command line."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bench.app.case_patterns import select_cases
from bench.config import catalog
from bench.config.loader import load_config
from bench.errors import UsageError
from bench.model.cases import Experiment, Strategy

T = TypeVar("T")


def load_experiment(
    config: str, *, only: str | None = None, blocks: int | None = None, seed: int | None = None
) -> Experiment:
    """Load a config by its path or shipped name, and apply options that replace its settings.

    Args:
        config: a path, or the name of a config that ships with flagbench.
        only: a pattern of the ids of the cases to keep.
        blocks: exactly how many blocks to run, without regard to the config's precision and budget.
        seed: the seed, instead of the config's.

    Raises:
        ConfigError: the config is invalid.
        UsageError: no case matches ``only``.
    """
    experiment = load_config(
        config,
        strategies=catalog.find_strategies(),
        clients=catalog.find_clients(),
        read_strategy=catalog.read_strategy,
    )
    return apply_overrides(experiment, only=only, blocks=blocks, seed=seed)


def apply_overrides(
    experiment: Experiment, *, only: str | None = None, blocks: int | None = None, seed: int | None = None
) -> Experiment:
    """Return the experiment with some settings replaced; ``load_experiment`` explains them."""
    return replace(
        experiment,
        cases=select_cases(experiment.cases, only) if only else experiment.cases,
        blocks=experiment.blocks if blocks is None else blocks,
        stopping=experiment.stopping if blocks is None else None,
        seed=experiment.seed if seed is None else seed,
    )


def option_words(**values: object) -> tuple[str, ...]:
    """Write options as words of a command line; leave out those that are None or False."""
    words: list[str] = []
    for name, value in values.items():
        if value is not None and value is not False:
            words.append(f"--{name.replace('_', '-')}")
            words += [] if value is True else [str(value)]
    return tuple(words)


def find_strategy(name_or_file: str) -> Strategy:
    """Return a shipped strategy by its name, or any strategy by its file.

    Raises:
        UsageError: there is none.
    """
    if name_or_file.endswith(".py"):
        return catalog.read_strategy(Path(name_or_file))
    return _find(name_or_file, catalog.find_strategies(), "strategy")


def client_for(strategy: Strategy, name: str) -> str | None:
    """Return the name of a client that the strategy can use, or None if it uses none.

    Raises:
        UsageError: there is no such client, it is not installed, or the strategy cannot use it.
    """
    if strategy.face is None:
        return None
    clients = catalog.find_clients()
    client = _find(name, clients, "client")
    if strategy.face not in client.faces:
        usable = ", ".join(each.name for each in clients.values() if strategy.face in each.faces)
        raise UsageError(f"{strategy.name} cannot use client {name}", hint=f"it can use {usable}")
    if client.missing:
        raise UsageError(f"client {name} needs {', '.join(client.missing)}", hint=client.install)
    return name


def _find(name: str, known: Mapping[str, T], noun: str) -> T:
    if name not in known:
        raise UsageError(f"unknown {noun} {name!r}", hint=f"there are {', '.join(known)}")
    return known[name]
