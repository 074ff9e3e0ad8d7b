"""Make the folders of a strategy and its project importable, without hiding modules that the worker needs."""

import os
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import Final

INSTALLED: Final = ("site-packages", "dist-packages")
_OWN: Final = frozenset({"bench", "strategies"})


def add_module_folders(folders: Iterable[str]) -> None:
    """Put folders on ``sys.path`` behind the standard library, and behind the installed packages.

    A folder with a package that is installed as well goes before the installed ones: a project is measured
    as it is in its tree. Processes that ``multiprocessing`` starts take ``sys.path`` over.
    """
    new = [folder for folder in folders if folder not in sys.path]
    installed = [entry for entry in sys.path if os.path.basename(entry) in INSTALLED]  # noqa: PTH119  cold start
    first = [folder for folder in new if has_installed_package(folder, installed)]
    place = sys.path.index(installed[0]) if installed else len(sys.path)
    sys.path[place:place] = first
    sys.path += [folder for folder in new if folder not in first]


def has_installed_package(folder: str, installed: Collection[str]) -> bool:
    """Tell whether a folder has a package, not just a module, of the name of an installed one."""
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.is_dir()]
    except OSError:
        return False
    return any(
        os.path.exists(os.path.join(place, found))  # noqa: PTH110, PTH118  cold start
        for name in names
        if name not in _OWN and os.path.exists(os.path.join(folder, name, "__init__.py"))  # noqa: PTH110, PTH118
        for place in installed
        for found in (name, f"{name}.py")
    )


def explain_import_error(error: BaseException, folders: Sequence[str], strategy: str) -> str | None:
    """Say where a module was looked for, or which other one hides it; return None for other errors.

    Args:
        error: raised by the strategy.
        folders: those of the strategy and its project, the strategy's own one first.
        strategy: the name of its file.
    """
    if not isinstance(error, ImportError) or error.name is None or not folders:
        return None
    name = error.name.partition(".")[0]
    beside = [folder for folder in folders if _has_module(folder, name)]
    if name in _OWN:
        taken = f"the names bench and strategies are taken by flagbench: rename your {name}"
        return taken if beside else None
    loaded = getattr(sys.modules.get(name), "__file__", None) or ""
    is_own = any(loaded.startswith(os.path.join(folder, name)) for folder in beside)  # noqa: PTH118
    if beside and loaded and not is_own:
        return f"another module hides {_describe(beside[0], folders[0], strategy)}{name}: rename it"
    if not isinstance(error, ModuleNotFoundError):
        return None
    places = ", ".join(os.path.relpath(folder, folders[0]) for folder in folders[1:])
    seen_from = f" and, seen from there, in {places}" if places else ""
    return f"looked for beside {strategy}{seen_from}; move it there, or declare and install it"


def _has_module(folder: str, name: str) -> bool:
    return any(
        os.path.exists(os.path.join(folder, found))  # noqa: PTH110, PTH118  as above
        for found in (f"{name}.py", name)
    )


def _describe(folder: str, own: str, strategy: str) -> str:
    """Name the folder of a module, as seen from the strategy's."""
    place = os.path.relpath(folder, own)
    return f"the one beside {strategy}, " if place == "." else f"the one in {place}, "
