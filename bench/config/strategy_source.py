"""The text of a Python file as a syntax tree: read, never imported."""

import ast
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.errors import UsageError

_OURS: Final = frozenset({"bench", "strategies"})
_MOST_BYTES: Final = 1 << 20


def parse_source(file: Path) -> ast.Module:
    """Read a file's syntax tree.

    Raises:
        UsageError: there is no such file, it is no Python, or it is too large or too deep to be read.
    """
    try:
        return ast.parse(_source(file), filename=str(file))
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", hint="name a Python file") from error
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{file} is not Python: {error}", hint="mend it, or name another file") from error
    except (MemoryError, RecursionError) as error:
        raise UsageError(f"{file} is nested too deeply to be read", hint="split its expressions") from error


def functions(tree: ast.Module) -> frozenset[str]:
    """Return the names of the functions that a file defines at its top."""
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the top-level names of all that a file imports at its top, some of them more than once."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield node.module.partition(".")[0]


def foreign_modules(tree: ast.Module) -> list[str]:
    """Return the top-level names of what a file imports beyond the standard library and this project."""
    return sorted(frozenset(imported(tree)) - sys.stdlib_module_names - _OURS)


def _source(file: Path) -> bytes:
    found = file.stat()  # before it is opened: a FIFO would keep us waiting for ever
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{file} is not a regular file", hint="name a Python file")
    if found.st_size > _MOST_BYTES:
        raise UsageError(f"{file} is larger than {_MOST_BYTES >> 20} MiB", hint="split it")
    return file.read_bytes()
