"""What a side is before it is measured: compiled, imported once, and asked for its libraries."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.errors import SetupError
from bench.model.text import one_line
from bench.variants.run_command import last_words, run_command

_WITHIN_S: Final = 300.0
_PASSED: Final = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ")
_MARK: Final = "flagbench-probe:"
_COMPILING: Final = """
import compileall, sys, sysconfig
for folder in (*sys.argv[1:], sysconfig.get_path("purelib")):
    compileall.compile_dir(folder, quiet=2, workers=1)
"""
OF_THE_TREE: Final = "of the tree"
"""In the place of a version: the tree hides what is installed."""
_PROBING: Final = """
import importlib, importlib.metadata, json, os, sys
import bench.worker.main
for name in sys.argv[2:]:
    importlib.import_module("strategies.clients." + name)
loaded = {name.partition(".")[0] for name in sys.modules}
owners = importlib.metadata.packages_distributions()
names = {owner for module in loaded & owners.keys() for owner in owners[module]}
folders = tuple(folder + os.sep for folder in os.environ["PYTHONPATH"].split(os.pathsep))
def is_hidden(module):
    places = (getattr(sys.modules[module], "__file__", None), *getattr(sys.modules[module], "__path__", ()))
    lie = [place for place in places if place is not None and not place.startswith(sys.prefix + os.sep)]
    return any(place.startswith(folders) for place in lie)
hidden = {owner for module in filter(is_hidden, loaded & owners.keys()) for owner in owners[module]}
print(sys.argv[1] + json.dumps({
    "bench": bench.worker.main.__file__,
    "libraries": {name: importlib.metadata.version(name) for name in sorted(names - hidden)},
    "hidden": sorted(hidden),
}))
"""


def precompile(python: Path, folders: Sequence[Path]) -> None:
    """Compile folders and the libraries of an environment, so that no side's first import takes longer.

    What is compiled already is left as it is, and so are files that are no Python.

    Raises:
        EnvironmentFault: the interpreter cannot be run, or it takes too long.
    """
    run_command(
        (python, "-I", "-c", _COMPILING, *folders),
        environment=_environment(os.environ, ()),
        within_s=_WITHIN_S,
    )


def probe_variant(
    python: Path, import_path: Sequence[Path], clients: Collection[str], label: str
) -> Mapping[str, str]:
    """Import the worker and the clients as a worker would, and return the versions of what they loaded.

    A library that the import path has, too, is ``OF_THE_TREE``, whatever version is installed.

    Raises:
        EnvironmentFault: they cannot be imported, or come from elsewhere than from the import path.
    """
    # as in a worker, the current folder is not on the path
    ended = run_command(
        (python, "-P", "-c", _PROBING, _MARK, *sorted(clients)),
        environment=_environment(os.environ, import_path),
        within_s=_WITHIN_S,
        cwd=import_path[0],
    )
    said = _said(ended.stdout) if ended.returncode == 0 else None
    if said is None:
        raise SetupError(
            f"the workers of {label} cannot be started: {last_words(ended.stderr)}",
            hint="put what is missing into the tree's requirements.txt, or into the variant's requirements",
        )
    if not Path(str(said["bench"])).is_relative_to(import_path[0]):
        raise SetupError(
            f"the workers of {label} would be those of another flagbench, installed in its environment",
            hint="leave flagbench out of its requirements",
        )
    installed = {str(name): one_line(str(version)) for name, version in said["libraries"].items()}
    return installed | {str(name): OF_THE_TREE for name in said["hidden"]}


def _said(stdout: bytes) -> dict[str, Any] | None:
    """Find the answer among whatever modules print when they are imported."""
    lines = stdout.decode(errors="replace").splitlines()
    answers = [line.removeprefix(_MARK) for line in lines if line.startswith(_MARK)]
    try:
        answer = json.loads(answers[-1]) if answers else None
    except ValueError:
        return None
    fits = (
        isinstance(answer, dict)
        and isinstance(answer.get("libraries"), dict)
        and isinstance(answer.get("hidden"), list)
        and "bench" in answer
    )
    return answer if fits else None


def _environment(users: Mapping[str, str], path: Sequence[Path]) -> dict[str, str]:
    passed = {name: users[name] for name in _PASSED if name in users}
    return {**passed, "PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONUTF8": "1"}
