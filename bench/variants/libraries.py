"""The libraries behind clients, in the versions that the running interpreter has."""

import re
from collections.abc import Collection, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from bench.config.strategy_source import foreign_modules, parsed
from bench.errors import UsageError

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BESIDE: Final = {"httpx": ("h2",)}
"""What a library imports only where it was asked to, by its module."""


def modules_behind(clients: Collection[Path]) -> list[str]:
    """Return the top-level modules that client files import, read from their text.

    A file that cannot be read has none; that it cannot be imported will tell.
    """
    found: set[str] = set()
    for client in clients:
        try:
            found.update(foreign_modules(parsed(client)))
        except UsageError:
            continue
    return sorted(found.union(*(_BESIDE.get(module, ()) for module in found)))


def installed_versions(modules: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return which distributions have these modules, and all that they may depend on, as ``name==version``.

    Both are of the running interpreter; a module that it does not have is left out. What of the dependencies
    another interpreter needs is for that to say: they are versions to choose, not distributions to install.
    """
    owners = metadata.packages_distributions()
    direct = sorted({owner for module in modules for owner in owners.get(module, ())})
    return [_pinned(name) for name in direct], sorted(map(_pinned, _with_dependencies(direct)))


def _with_dependencies(names: Sequence[str]) -> set[str]:
    """Return the names of distributions with those of all installed ones that they may ask for."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _dependencies(name)
    return seen


def _dependencies(name: str) -> Iterator[str]:
    for requirement in metadata.requires(name) or ():
        found = _NAME.match(requirement)
        try:
            if found is not None and "extra ==" not in requirement:
                yield metadata.distribution(found[0]).name
        except metadata.PackageNotFoundError:  # for another system or interpreter
            continue


def _pinned(name: str) -> str:
    return f"{name}=={metadata.version(name)}"
