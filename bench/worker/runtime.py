"""Describe the interpreter of this worker and the libraries that it really imported. Used by the trial."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from bench.model.worker_runtime import ImportedLibrary, Importer, WorkerRuntime
from bench.worker.protocol import Task

if TYPE_CHECKING:
    from importlib.metadata import Distribution


def describe_runtime(task: Task) -> WorkerRuntime:
    """Describe this process; called after the last round, since it imports and reads files."""
    import platform  # the worker does without it until then

    named: dict[str, Importer] = dict.fromkeys(task.strategy_modules, "strategy")
    named |= dict.fromkeys(task.client_modules, "client")
    return WorkerRuntime(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        has_gil=has_gil(),
        libraries=tuple(
            _describe_library(name, module, named[name])
            for name in sorted(named)
            if isinstance(module := sys.modules.get(name), ModuleType)
        ),
    )


def has_gil() -> bool:
    """Tell whether the global interpreter lock is enabled now; before Python 3.13 it always is."""
    is_enabled = getattr(sys, "_is_gil_enabled", None)
    return True if is_enabled is None else bool(is_enabled())


def _describe_library(name: str, module: ModuleType, importer: Importer) -> ImportedLibrary:
    file = str(getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), ""))
    own_version = vars(module).get("__version__")  # getattr might call a function of the module that warns
    told = own_version if isinstance(own_version, str) else ""
    owners = list(_owners(name, Path(file), told)) if file else []
    return ImportedLibrary(
        module=name,
        importer=importer,
        distribution=" + ".join(str(owner.name) for owner in owners),
        version=" + ".join(dict.fromkeys(str(owner.version) for owner in owners)) or told,
        file=file,
    )


def _owners(name: str, file: Path, told: str) -> "Iterator[Distribution]":
    """Yield the distributions that a loaded file may belong to: installed beside it, with this module.

    The one of the same name is it, unless the module says another version: a fork may have put itself in its
    place. Looking at all installed distributions takes a tenth of a second.
    """
    from importlib import metadata  # takes milliseconds, and most clients do without it

    try:
        namesake = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        namesake = None
    if namesake is not None and _is_beside(namesake, file) and told in {"", namesake.version}:
        yield namesake
        return
    names = sorted(set(metadata.packages_distributions().get(name, ())))
    found = [each for each in map(metadata.distribution, names) if _is_beside(each, file)]
    yield from [each for each in found if each.version == told] or found


def _is_beside(found: "Distribution", file: Path) -> bool:
    """Tell whether a file lies in the folder into which a distribution was installed."""
    return file.resolve().is_relative_to(Path(str(found.locate_file(""))).resolve())
