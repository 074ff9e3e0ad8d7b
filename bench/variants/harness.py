"""Choose between a tree's own worker and strategies and ours.

Nothing of a tree is run for that.
"""

import ast
import hashlib
import shutil
from pathlib import Path
from typing import Final

from bench.config.source_code import parse_source
from bench.errors import UsageError
from bench.system.paths import import_path, strategies_folder
from bench.variants.cache import entry_key, get_or_create
from bench.worker.protocol import PROTOCOL

_NAME: Final = "PROTOCOL"


def is_flagbench(tree: Path) -> bool:
    """Tell whether a tree is one of this project, of any worker protocol."""
    return (tree / "bench" / "worker").is_dir() and (tree / "strategies" / "__init__.py").is_file()


def has_same_protocol(tree: Path) -> bool:
    """Tell whether a tree is one of this project with the worker protocol of this version."""
    file = tree / "bench" / "worker" / "protocol.py"
    return is_flagbench(tree) and file.is_file() and read_protocol(file) == PROTOCOL


def read_protocol(file: Path) -> int | None:
    """Read the protocol number from the text of a Python file; return None if it has none."""
    try:
        body = parse_source(file).body
    except UsageError:
        return None
    for node in body:
        match node:
            case (
                ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=int(number)))
                | ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=int(number)))
            ) if name == _NAME:
                return number
    return None


def named_strategies(tree: Path) -> dict[str, Path]:
    """Return the strategies that a config can name in a tree.

    They are its own if it is a flagbench, else ours.

    Raises:
        SetupError: the cache cannot be written.
    """
    folder = (tree if is_flagbench(tree) else cached_harness()) / "strategies"
    return {file.stem: file for file in sorted(folder.glob("[!_]*.py")) if file.is_file()}


def cached_harness() -> Path:
    """Copy our ``bench`` and ``strategies`` into the cache, where paths are as long as those of a tree.

    Raises:
        SetupError: the cache cannot be written.
    """
    files = _own_files()
    content = [(str(name), hashlib.sha256(file.read_bytes()).hexdigest()) for name, file in files.items()]

    def fill(folder: Path) -> None:
        for name, file in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / name)

    return get_or_create("trees", entry_key("harness", content), fill)


def _own_files() -> dict[Path, Path]:
    """Return the Python files of our ``bench`` and ``strategies`` by their path in the copy."""
    files = {
        top.name / file.relative_to(top): file
        for top in (Path(import_path()[-1]) / "bench", strategies_folder())
        for file in sorted(top.rglob("*.py"))
    }
    return {name: file for name, file in files.items() if name.parts[1] != "_bundled"}
