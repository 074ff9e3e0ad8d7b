"""Find the Python code that a reference names, and parse it: nothing is imported, and nothing is run.

A reference is ``my.py``, ``my.py:function`` or ``my_package.module:function``.
"""

import ast
import re
import stat
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
_MAX_BYTES: Final = 1 << 20


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


def parse_source(file: Path) -> ast.Module:
    """Return the syntax tree of a Python file.

    Raises:
        UsageError: the file does not exist, is not Python, or is too large or too deep.
    """
    try:
        return ast.parse(_read_source(file), filename=str(file))
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", hint="name a Python file") from error
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{file} is not Python: {error}", hint="fix it, or name another file") from error
    except (MemoryError, RecursionError) as error:
        raise UsageError(f"{file} is nested too deeply to be read", hint="split its expressions") from error


def _read_source(file: Path) -> bytes:
    found = file.stat()  # before it is opened: a FIFO would block for ever
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{file} is not a regular file", hint="name a Python file")
    if found.st_size > _MAX_BYTES:
        raise UsageError(f"{file} is larger than {_MAX_BYTES >> 20} MiB", hint="split it")
    return file.read_bytes()
