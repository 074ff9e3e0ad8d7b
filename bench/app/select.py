"""Load an experiment, strategy or client by its name on the command line."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bench.app.case_patterns import select_cases
from bench.app.target_check import check_target
from bench.config import catalog
from bench.config.catalog import choose_option
from bench.config.compatibility import fits
from bench.config.loader import load_config
from bench.config.script_config import (
    ScriptOptions,
    keep_cases,
    read_script_form,
    reference_text,
    write_script_config,
)
from bench.config.source_code import CodeReference, parse_reference
from bench.errors import UsageError
from bench.model.cases import Experiment, Strategy
from bench.model.server_settings import check_host
from bench.model.text import join_and

T = TypeVar("T")


def load_experiment(  # noqa: PLR0913  one argument an option
    config: str,
    content: str | None = None,
    *,
    only: str | None = None,
    blocks: int | None = None,
    seed: int | None = None,
    allow_remote: bool = False,
) -> Experiment:
    """Load a config by its path or shipped name, and apply options that replace its settings.

    Args:
        config: a path, or the name of a config that ships with flagbench.
        content: the YAML of a script's config; it is loaded as if it were a file of the current folder.
        only: a pattern of the ids of the cases to keep.
        blocks: exactly how many blocks to run, without regard to the config's precision and budget.
        seed: the seed, instead of the config's.
        allow_remote: accept a target, or an address of the flag server, that is not a loopback address.

    Raises:
        ConfigError: the config is invalid.
        UsageError: no case matches ``only``, a script is named, or a remote address is not allowed.
        SetupError: the name of a target's host cannot be resolved.
    """
    if content is None and find_script(config) is not None:
        file = f"{Path(config.partition(':')[0]).stem}.yaml"
        raise UsageError(
            f"{config} is a script, which only `run` and `check` measure",
            hint=f"write its config with `run {config} --print-config > {file}`, and name that",
        )
    experiment = load_config(
        config,
        strategies=catalog.find_strategies(),
        clients=catalog.find_clients(),
        read_strategy=catalog.read_strategy,
        content=content,
    )
    experiment = check_target(experiment, allow_remote=allow_remote)
    check_host(experiment.host, allow_remote=allow_remote)
    return apply_overrides(experiment, only=only, blocks=blocks, seed=seed)


def load_target(
    config: str, options: ScriptOptions, *, only: str | None = None, allow_remote: bool = False
) -> Experiment:
    """Load a config, or the config that measures a script.

    Args:
        config: as for ``load_experiment``, or a script.
        options: those of the command line; a config can only have blocks and seed.
        only: a pattern of the ids of the cases to keep.
        allow_remote: as for ``load_experiment``.

    Raises:
        ConfigError: the config is invalid.
        UsageError: an option is not for a config, or the script cannot be measured.
    """
    code = find_script(config)
    if code is not None:
        return load_experiment(script_config_name(config), script_config(code, options), only=only)
    if given := [f"--{name}" for name in options.shape()]:
        raise UsageError(
            f"{join_and(given)} {'is' if len(given) == 1 else 'are'} for a script",
            hint=f"{config} is a config, which says that itself: edit a copy of it",
        )
    return load_experiment(
        config, only=only, blocks=options.blocks, seed=options.seed, allow_remote=allow_remote
    )


def find_script(config: str) -> CodeReference | None:
    """Return the reference to a script of the user's, or None for a config: a file of this name is one.

    A Python file is never a config.
    """
    code = parse_reference(config)
    is_config = code is not None and not code.path and Path(config).is_file()
    return None if is_config else code


def script_config(code: CodeReference, options: ScriptOptions, *, only: str | None = None) -> str:
    """Return the YAML of the config that measures a script, or only some of its cases.

    Raises:
        UsageError: the script has no function of an accepted form, an option has no valid value, or no case
            matches ``only``.
    """
    content = write_script_config(code, options, catalog.find_strategies(), catalog.find_clients())
    if only is None:
        return content
    own = reference_text(code, read_script_form(code, Path()))
    return keep_cases(content, own, load_experiment(script_config_name(own), content, only=only))


def script_config_name(script: str) -> str:
    """Return the name under which the config of a script is loaded: as a file of the current folder.

    Args:
        script: the script as on the command line, be it in another folder.
    """
    return Path(script).name


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
    plain, _, option = name_or_file.rpartition("+")
    if plain and option.isidentifier():
        try:
            return choose_option(find_strategy(plain), option)
        except ValueError as error:
            raise UsageError(str(error)) from error
    if name_or_file.endswith(".py"):
        found = catalog.read_strategy(Path(name_or_file))
        if found.call.is_foreign:
            raise UsageError(
                f"{name_or_file} takes country codes, and `download` calls download_many(job)",
                hint=f"measure it with `run {name_or_file}`",
            )
        return found
    return _find(name_or_file, catalog.find_strategies(), "strategy")


def client_for(strategy: Strategy, name: str) -> str | None:
    """Return the name of a client that the strategy can use, or None if it uses none.

    Raises:
        UsageError: there is no such client, it or the strategy needs what is not installed, or they do not
            fit together.
    """
    if strategy.unavailable:
        raise UsageError(f"{strategy.name} {strategy.unavailable}")
    if strategy.face is None:
        return None
    clients = catalog.find_clients()
    client = _find(name, clients, "client")
    if not fits(strategy, client):
        usable = ", ".join(each.name for each in clients.values() if fits(strategy, each))
        raise UsageError(f"{strategy.name} cannot use client {name}", hint=f"it can use {usable}")
    if client.requirements:
        raise UsageError(
            f"client {name} needs an environment of its own", hint="measure it with `run`, which makes one"
        )
    if client.missing:
        raise UsageError(f"client {name} needs {', '.join(client.missing)}", hint=client.install)
    return name


def _find(name: str, known: Mapping[str, T], noun: str) -> T:
    if name not in known:
        raise UsageError(f"unknown {noun} {name!r}", hint=f"there are {', '.join(known)}")
    return known[name]
