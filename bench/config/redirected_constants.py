"""Find the module constants of the user's code that hold an address or the folder for downloads.

The worker replaces them as they are assigned: the chapter's scripts have no other way to be told. The rule: a
name in capitals at the top level of the file, of a class there, or of a file of the user's that it imports.
Its value is a text that begins with ``http://`` or ``https://``; or its name says that it is the folder for
downloads, and its value is a text or ``Path("…")``.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.system.paths import package_root

_CONSTANT: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_FOLDER: Final = re.compile(r"(?:\w+_)?(?:DEST|DESTINATION|DOWNLOADS?|FLAGS|OUT|OUTPUT|SAVE|TARGET)")
_FOLDER_END: Final = re.compile(r"_(?:DIR|DIRECTORY|FOLDER|PATH)\Z")
_OTHER_ADDRESS: Final = re.compile(r"(?:\w+_)?(?:PROXY|PROXIES|NS|NAMESPACE|SCHEMA)(?:_\w+)?")
"""Addresses that nothing is downloaded from."""
_ENVIRONMENT: Final = frozenset({"os.environ.get", "os.getenv", "environ.get", "getenv"})
"""They return an environment variable or a default; the worker has none of the user's variables."""
_MOST_FILES: Final = 50
_MOST_BYTES: Final = 1 << 20


def find_redirected_constants(
    tree: ast.Module, file: Path, module: str = ""
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the constants with an address, and of those with the folder for downloads.

    Args:
        tree: the file's.
        file: the file; imports are looked for beside it.
        module: its dotted name, if it is imported as a module of a package, whose root is searched, too.
    """
    folders = [file.parent] + ([package_root(file, module)] if module else [])
    addresses: dict[str, None] = {}
    targets: dict[str, None] = {}
    for each in _own_trees(tree, file, folders):
        for name, value in _constants(each):
            if _is_address(value):
                if not _OTHER_ADDRESS.fullmatch(name):
                    addresses[name] = None
            elif _is_target(name, value):
                targets[name] = None
    return tuple(addresses), tuple(targets)


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield the assignments to names in capitals at the top level of a module, and in its classes."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for node in [*tree.body, *(each for owner in classes for each in owner.body)]:
        match node:
            case (
                ast.Assign(targets=[ast.Name(name)], value=value)
                | ast.AnnAssign(target=ast.Name(name), value=ast.expr() as value)
            ) if _CONSTANT.fullmatch(name):
                yield name, value


def _is_address(value: ast.expr) -> bool:
    """Tell whether a value is a text that begins with ``http://`` or ``https://``, as far as it shows."""
    match value:
        case ast.Constant(str(text)):
            return text.startswith(("http://", "https://"))
        case ast.BinOp(left=first) | ast.JoinedStr(values=[first, *_]):
            return _is_address(first)
        case ast.Call(func=called, args=[_, default]):
            return ast.unparse(called) in _ENVIRONMENT and _is_address(default)
    return False


def _is_target(name: str, value: ast.expr) -> bool:
    """Tell whether a constant is the folder for downloads: a path, or a text with a name like ``OUT_DIR``."""
    plain = _FOLDER_END.sub("", name)
    is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return _FOLDER.fullmatch(plain) is not None and (_has_path(value) or (is_text and plain != name))


def _has_path(value: ast.expr) -> bool:
    """Tell whether an expression makes a path, as ``Path(__file__).parent / "downloaded"`` does."""
    calls = [node.func for node in ast.walk(value) if isinstance(node, ast.Call)]
    return any(ast.unparse(called).rpartition(".")[2] in {"Path", "join"} for called in calls)


def _own_trees(tree: ast.Module, file: Path, folders: list[Path]) -> Iterator[ast.Module]:
    """Yield the tree of a file, and those of the files beside it that it imports, directly or not."""
    waiting, seen = [(tree, file)], {file.resolve()}
    while waiting:
        tree, file = waiting.pop(0)
        yield tree
        for found in _imported_files(tree, file, folders):
            if found.resolve() not in seen and len(seen) < _MOST_FILES and (read := _read(found)) is not None:
                seen.add(found.resolve())
                waiting.append((read, found))


def _imported_files(tree: ast.Module, file: Path, folders: list[Path]) -> Iterator[Path]:
    """Yield the files of modules that a file imports from beside it, or from some folders."""
    for level, name in _imported_names(tree):
        path = Path(*name.split("."))
        for folder in [*file.parents[level - 1 : level]] if level else [file.parent, *folders]:
            for found in (folder / path.parent / f"{path.name}.py", folder / path / "__init__.py"):
                if found.is_file():
                    yield found


def _imported_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the dotted names that may be modules, with the number of dots before a relative one."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                yield from ((0, alias.name) for alias in aliases)
            case ast.ImportFrom(module=module, names=aliases, level=level):
                if module:
                    yield level, module
                yield from ((level, f"{module}.{each.name}" if module else each.name) for each in aliases)


def _read(file: Path) -> ast.Module | None:
    """Return the tree of a file, or None if it cannot be read: the worker reports that when it imports it."""
    try:
        return ast.parse(file.read_bytes()) if file.stat().st_size <= _MOST_BYTES else None
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return None
