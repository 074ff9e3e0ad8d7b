"""The harness of a side: the tree's own, if it speaks as ours does, or a copy of ours in the cache."""

import ast
import hashlib
import shutil
from pathlib import Path
from typing import Final

from bench.config.strategy_source import parse_source
from bench.errors import UsageError
from bench.system.paths import import_path, strategies_folder
from bench.variants.cache import get_or_create, key_of
from bench.worker.protocol import PROTOCOL

_NAME: Final = "PROTOCOL"


def is_flagbench(tree: Path) -> bool:
    """Say whether a tree is one of this project, of whatever protocol; nothing of it is run."""
    return (tree / "bench" / "worker").is_dir() and (tree / "strategies" / "__init__.py").is_file()


def speaks_as_we_do(tree: Path) -> bool:
    """Say whether a tree is one of this project, whose workers ours understands; nothing of it is run."""
    file = tree / "bench" / "worker" / "protocol.py"
    return is_flagbench(tree) and file.is_file() and protocol_of(file) == PROTOCOL


def protocol_of(file: Path) -> int | None:
    """Read the number of a protocol from the text of its file; ``None`` if it says none."""
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


def strategies_for(tree: Path) -> dict[str, Path]:
    """Return the strategies that a config can name in a tree: its own if it is a flagbench, else ours.

    Raises:
        EnvironmentFault: the cache, where a copy of ours is, cannot be written.
    """
    folder = (tree if is_flagbench(tree) else our_harness()) / "strategies"
    return {file.stem: file for file in sorted(folder.glob("[!_]*.py")) if file.is_file()}


def our_harness() -> Path:
    """Have a copy of our ``bench`` and ``strategies`` in the cache, where its path is as long as a tree's.

    Raises:
        EnvironmentFault: the cache cannot be written.
    """
    files = _our_files()
    content = [(str(name), hashlib.sha256(file.read_bytes()).hexdigest()) for name, file in files.items()]

    def fill(folder: Path) -> None:
        for name, file in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / name)

    return get_or_create("trees", key_of("harness", content), fill)


def _our_files() -> dict[Path, Path]:
    """Return the Python files of our ``bench`` and ``strategies``, by their path in the copy."""
    bench, strategies = Path(import_path()[-1]) / "bench", strategies_folder()
    found = {
        top.name / file.relative_to(top): file
        for top in (bench, strategies)
        for file in sorted(top.rglob("*.py"))
    }
    return {name: file for name, file in found.items() if name.parts[1] != "_bundled"}
