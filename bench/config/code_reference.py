"""Read references to the user's code: ``my.py``, ``my.py:function`` and ``my_package.module:function``."""

import re
import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final, NamedTuple

from bench.config.problems import quote_text
from bench.errors import UsageError
from bench.system.paths import strategy_path

_FILE: Final = re.compile(r"(.+\.py)(?::([A-Za-z_][A-Za-z0-9_]*))?", re.DOTALL)
_MODULE: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*):([A-Za-z_][A-Za-z0-9_]*)")


class CodeReference(NamedTuple):
    """A reference to a file or a module, and to a function in it.

    Attributes:
        path: of the file, as written; empty for a module.
        module: dotted name; empty for a file.
        function: empty if the file is to have only one that fits.
    """

    path: str
    module: str
    function: str


def parse_reference(text: str) -> CodeReference | None:
    """Return a reference to code, or None for any other text."""
    if found := _FILE.fullmatch(text):
        return CodeReference(found[1], "", found[2] or "")
    if found := _MODULE.fullmatch(text):
        return CodeReference("", found[1], found[2])
    return None


def find_module(module: str, folder: Path) -> Path:
    """Return the file of a module, without importing it or the packages around it.

    It is looked for in a folder, in its project as for a strategy there, and among the installed packages.

    Raises:
        UsageError: there is no such module.
    """
    folders = [str(folder), *strategy_path(folder / "any.py"), *sys.path]
    places: Sequence[str] | None = list(dict.fromkeys(folders))
    origin, name = None, ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        spec = None if places is None else PathFinder.find_spec(part, list(places))
        if spec is None:
            raise UsageError(
                f"there is no module {quote_text(name)}",
                hint=f"looked for in {quote_text(str(folder))}, its project and the installed packages",
            )
        origin, places = spec.origin, spec.submodule_search_locations
    if origin is None or not origin.endswith(".py"):
        raise UsageError(f"the module {quote_text(module)} has no Python file", hint="name a module with one")
    return Path(origin)
