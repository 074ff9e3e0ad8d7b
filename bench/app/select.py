"""From the name of a config to an experiment, with what the command line changes about it."""

from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from bench.config import catalog
from bench.config.loader import load_config
from bench.errors import UsageError
from bench.model.cases import Case, Experiment, Strategy

_SHOWN: Final = 5


def load_experiment(config: str) -> Experiment:
    """Load a config by path or shipped name, against the strategies and clients at hand."""
    return load_config(
        config,
        strategies=catalog.find_strategies(),
        clients=catalog.find_clients(),
        read_strategy=catalog.read_strategy,
    )


def named_strategy(text: str) -> Strategy:
    """Return a shipped strategy by its name, or one's own by its file."""
    if text.endswith(".py"):
        return catalog.read_strategy(Path(text))
    shipped = catalog.find_strategies()
    if text not in shipped:
        raise UsageError(f"unknown strategy {text!r}", hint=f"there are {', '.join(shipped)}")
    return shipped[text]


def client_for(strategy: Strategy, text: str) -> str | None:
    """Return a client by its name, if the strategy can use it and it is installed; none if it needs none."""
    if strategy.face is None:
        return None
    shipped = catalog.find_clients()
    if text not in shipped:
        raise UsageError(f"unknown client {text!r}", hint=f"there are {', '.join(shipped)}")
    client = shipped[text]
    if strategy.face not in client.faces:
        able = ", ".join(name for name, each in shipped.items() if strategy.face in each.faces)
        raise UsageError(f"{strategy.name} cannot use client {text}", hint=f"it can use {able}")
    if client.missing:
        raise UsageError(f"client {text} needs {', '.join(client.missing)}", hint=client.install)
    return text


def apply_overrides(
    experiment: Experiment, *, only: str | None, blocks: int | None, seed: int | None
) -> Experiment:
    """Return the experiment with what the command line says instead of the config.

    Blocks from there are exactly so many, whatever the config says of precision and budget.
    """
    return replace(
        experiment,
        cases=select_cases(experiment.cases, only) if only else experiment.cases,
        blocks=experiment.blocks if blocks is None else blocks,
        stopping=experiment.stopping if blocks is None else None,
        seed=experiment.seed if seed is None else seed,
    )


def override_args(*, only: str | None, blocks: int | None, seed: int | None) -> tuple[str, ...]:
    """Return the words of the command line that say what ``amended`` takes."""
    said = {"--only": only, "--blocks": blocks, "--seed": seed}
    return tuple(word for name, value in said.items() if value is not None for word in (name, str(value)))


def select_cases(cases: tuple[Case, ...], pattern: str) -> tuple[Case, ...]:
    """Keep the cases whose id matches a shell pattern, or starts with it."""
    kept = tuple(case for case in cases if fnmatchcase(case.id, pattern) or case.id.startswith(pattern))
    if not kept:
        raise UsageError(f"no case matches {pattern!r}", hint=f"the first is {cases[0].id!r}")
    return kept


def select_case(cases: tuple[Case, ...], pattern: str) -> Case:
    """Return the case with this id, or else the only one that ``matching`` keeps."""
    for case in cases:
        if case.id == pattern:
            return case
    kept = select_cases(cases, pattern)
    if len(kept) > 1:
        shown = ", ".join(case.id for case in kept[:_SHOWN]) + (", …" if len(kept) > _SHOWN else "")
        raise UsageError(f"{pattern!r} matches {len(kept)} cases", hint=f"say which of {shown}")
    return kept[0]
