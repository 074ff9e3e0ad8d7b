"""Load a config: find its file, read the YAML, validate it, and resolve it to an ``Experiment``."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from bench.api.outcomes import FetchOutcome
from bench.config.blocks import stopping_rule, usual_blocks
from bench.config.catalog import read_own_client
from bench.config.forms import DUPLICATE, FIELD_ERRORS, IS_DUPLICATE, Form, describe_shape
from bench.config.lookup import LookupContext
from bench.config.offered_rate import describe_weak_schedules
from bench.config.packages import find_provided, provided_clients, provided_strategies
from bench.config.problems import Problem, Steps, config_error, did_you_mean, quote_path
from bench.config.profiles import partly_too_slow
from bench.config.schedulers import is_here
from bench.config.schema import FORMS, ConfigForm
from bench.config.yaml_reader import Document, parse, read_file
from bench.errors import ConfigError
from bench.model.cases import LOOPBACK, Client, Experiment, Strategy
from bench.model.comparison import Bound, ComparisonSettings
from bench.model.flags import describe_ignored_files
from bench.model.text import join_and
from bench.system.addresses import is_loopback
from bench.system.paths import configs_folder

FormT = TypeVar("FormT", bound=Form)

_NOT_IN_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")


def load_config(
    config: str | Path,
    *,
    strategies: Mapping[str, Strategy],
    clients: Mapping[str, Client],
    read_strategy: Callable[..., Strategy],
    content: str | None = None,
) -> Experiment:
    """Return the experiment that a config describes.

    Args:
        config: a file, or the bare name of a shipped config.
        strategies: the shipped strategies, by name.
        clients: the shipped clients, by name.
        read_strategy: describes a strategy file that the config names; raises ``BenchError``.
        content: the text of a config that is in no file; ``config`` is where it could be.

    Raises:
        ConfigError: with all problems, one line each: ``path:line:column key.path: message``.
    """
    file = Path(config) if content is not None else find_config(config)
    document = parse(read_file(file) if content is None else content.encode())
    packaged_strategies, packaged_clients = cache(provided_strategies), cache(provided_clients)
    context = LookupContext(
        strategies,
        clients,
        read_strategy,
        read_own_client,
        file.absolute().parent,
        find_strategy=lambda name: find_provided(name, packaged_strategies()),
        find_client=lambda name: find_provided(name, packaged_clients()),
    )
    form = validate(document, file, context, ConfigForm)
    return resolve(form, document.source, file.stem)


def shipped_configs() -> tuple[str, ...]:
    """Return the bare names of the shipped configs, in alphabetical order."""
    return tuple(sorted(file.stem for file in configs_folder().glob("*.yaml")))


def find_config(config: str | Path) -> Path:
    """Return the file of a config by its path or shipped name.

    A bare word such as ``default`` is always a shipped config, even if the current folder has a file of
    that name; anything with a folder or a suffix in it, ``mine.txt`` too, is a path.

    Raises:
        ConfigError: there is no such config; the message names the nearest one.
    """
    path = Path(config)
    if not path.suffix and len(path.parts) == 1 and str(path) == str(config):
        if path.name not in shipped_configs():
            script = f"{path.name}.py"
            hint = did_you_mean(path.name, shipped_configs())
            if not hint and Path(script).is_file():
                hint = f"; did you mean '{script}'?"
            raise ConfigError((f"{quote_path(path)}: no such config{hint}",))
        return configs_folder() / f"{path.name}.yaml"
    if not _exists(path):
        hint = did_you_mean(str(path), _configs_beside(path))
        raise ConfigError((f"{quote_path(path)}: no such file{hint}",))
    return path


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except (OSError, ValueError):  # the reader meets it again, and reports it
        return True
    return True


def _configs_beside(path: Path) -> list[str]:
    """Return the configs in the folder of a path, without dangling links."""
    files = [file for suffix in (".yaml", ".yml") for file in path.parent.glob(f"*{suffix}")]
    return [str(file) for file in files if file.is_file()]


def validate(document: Document, file: Path, context: LookupContext, form_class: type[FormT]) -> FormT:
    """Return the values of a config, ``ConfigForm``, or of a file of another form.

    Raises:
        ConfigError: with its errors of form and of meaning.
    """
    if document.source is None:
        raise config_error(file, document.problems)
    try:
        form = form_class.model_validate(document.source, context=context)
    except ValidationError as error:
        raise config_error(file, (*document.problems, *problems_of(error, document))) from error
    if document.problems:
        raise config_error(file, document.problems)
    return form


def problems_of(error: ValidationError, document: Document) -> Iterator[Problem]:
    """Yield a problem for every error that pydantic or a validator has found."""
    for found in error.errors(include_url=False):
        steps: Steps = found["loc"]
        parent = _written(steps[:-1], document)
        match found["type"]:
            case "missing":
                yield Problem(document.marks[parent], (*parent, steps[-1]), "is missing")
            case "extra_forbidden":
                yield _unknown_key(parent, str(steps[-1]), document)
            case kind if kind == FIELD_ERRORS:
                for each in found["ctx"]["errors"]:
                    place = _written((*steps, *each.steps), document)
                    marks = document.key_marks if each.at_key else document.marks
                    yield Problem(marks[place], place, each.what)
            case kind:
                place = _written(steps, document)
                yield Problem(document.marks[place], place, _what(found, kind))


def _written(steps: Steps, document: Document) -> Steps:
    """Return the steps of a path that the document has.

    The others belong to the long form of a short value, as ``workers: 0`` is short for ``workers: [0]``.
    """
    written: Steps = ()
    for step in steps:
        if (*written, step) in document.marks:
            written = (*written, step)
    return written


def _unknown_key(parent: Steps, key: str, document: Document) -> Problem:
    names = [step for step in parent if isinstance(step, str)]
    fields = FORMS[names[-1] if names else ""].model_fields
    unused = [field for field in fields if (*parent, field) not in document.key_marks]
    path = (*parent, key)
    mark = document.key_marks.get(path, document.marks[parent])
    return Problem(mark, path, f"unknown key{did_you_mean(key, unused)}")


def _what(found: Any, kind: str) -> str:
    if kind == "value_error":
        return str(found["ctx"]["error"])
    if found["input"] is DUPLICATE:
        return IS_DUPLICATE
    expected = "a list" if kind == "tuple_type" else "a mapping of keys"
    return f"must be {expected}, not {describe_shape(found['input'])}"


def resolve(form: ConfigForm, source: Any, stem: str) -> Experiment:
    """Build the experiment: strategy × client × workers × keep-alive × profile, in the config's order.

    Args:
        form: the values of the config.
        source: the config as written.
        stem: that of the file, which names an experiment without a name of its own.
    """
    blocks = form.blocks or usual_blocks(form.precision)
    axes = form.axes
    return Experiment(
        name=form.name or _NOT_IN_NAME.sub("-", stem).lstrip("-._")[:64] or "config",
        cases=axes.cases(installed=True),
        strategies={entry.strategy.name: entry.strategy for entry in form.strategies},
        blocks=blocks.most,
        stopping=stopping_rule(blocks, form.precision, form.budget),
        rounds=form.rounds,
        deadline_s=form.deadline,
        request_timeout_s=form.request_timeout,
        seed=form.seed,
        flags_dir=form.flags_dir,
        source=source,
        probes=form.probes,
        pinning=form.pinning,
        disturbed=form.disturbed,
        process_names=form.process_names,
        margin=form.margin,
        deviations=_deviations(form),
        own_clients={client.name: client for client in _used_clients(form) if client.call is not None},
        separate_clients={client.name: client for client in _used_clients(form) if client.requirements},
        comparison_settings=_comparison_settings(form),
        notes=tuple(_notes(form)),
        target=None if form.target is None else form.target.target(axes.countries[0].codes),
        host=form.host or LOOPBACK,
        schedulers={each.address: each for each in axes.schedulers},
    )


def _comparison_settings(form: ConfigForm) -> ComparisonSettings:
    """Return the settings of a comparison; the config's margins follow the default one."""
    variants = None if form.variants is None else (form.variants[0], form.variants[1])
    thresholds = [(pattern, each) for pattern, below in (form.thresholds or {}).items() for each in below]
    margins = [(pattern, each) for pattern, each in thresholds if isinstance(each, float)]
    bounds = [replace(each, pattern=pattern) for pattern, each in thresholds if isinstance(each, Bound)]
    defaults = ComparisonSettings().margins
    return ComparisonSettings(variants, form.metrics, (*defaults, *margins), tuple(bounds))


def _deviations(form: ConfigForm) -> Mapping[str, Mapping[str, FetchOutcome]]:
    return {client.name: client.deviations for client in _used_clients(form) if client.deviations}


def _used_clients(form: ConfigForm) -> Sequence[Client]:
    return [client for entry in form.strategies for client in entry.clients or form.clients]


def _notes(form: ConfigForm) -> Iterator[str]:
    """Yield a sentence for everything that the user may not expect."""
    yield from form.axes.omissions()
    for entry in form.strategies:
        if redirection := _describe_redirection(entry.strategy):
            yield redirection
    for profile in form.axes.profiles:
        if reason := partly_too_slow(profile, form.request_timeout):
            yield f"Profile {profile.name}: {reason}."
    yield from _unreachable_server(form)
    if any(rates := form.axes.rates):
        fewest = min(each.count for each in form.axes.countries)
        yield from describe_weak_schedules(rates, fewest, form.rounds or 1)
        if "p99" not in form.metrics:
            yield "A comparison of an open loop without p99 among its metrics tells little."
    if form.flags_dir is not None and (ignored := describe_ignored_files(form.flags_dir)):
        yield ignored


def _unreachable_server(form: ConfigForm) -> Iterator[str]:
    """Yield a sentence if machines of a cluster are elsewhere, and the flag server is on loopback."""
    host = form.host or LOOPBACK
    if form.target is not None or not is_loopback(host):
        return
    for each in form.axes.schedulers:
        if not is_here(each.address):
            yield (
                f"Machines of {each.address} will ask {host}, which is each machine itself; 'host' gives the "
                "flag server an address of this machine that they can reach."
            )


def _describe_redirection(strategy: Strategy) -> str | None:
    """Say which module constants of a strategy are replaced before each call, or return None."""
    call = strategy.call
    parts = [
        f"{join_and(names)} {verb} {target}"
        for names, target in (
            (list(call.addresses), "the flag server"),
            (list(call.folders), "a folder of each round"),
        )
        if names
        for verb in ["is pointed at" if len(names) == 1 else "are pointed at"]
    ]
    return f"In {strategy.name}, {', and '.join(parts)}." if parts else None
