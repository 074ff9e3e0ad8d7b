"""Compile a variant and import it once before the first trial, which tells the versions of its libraries."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from bench.errors import SetupError
from bench.model.text import one_line
from bench.system.paths import join_import_path
from bench.variants.run_command import run_command, summarize_stderr

_TIMEOUT_S: Final = 300.0
_PASSED: Final = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ")
_MARK: Final = "flagbench-probe:"
_COMPILE: Final = """
import compileall, sys, sysconfig
for folder in (*sys.argv[1:], sysconfig.get_path("purelib")):
    compileall.compile_dir(folder, quiet=2, workers=1)
"""
FROM_TREE: Final = "of the tree"
"""Stands for the version of a library that the tree has itself, in front of the installed one."""
_IMPORT: Final = """
import contextlib, importlib, importlib.metadata, json, os, sys
import bench.worker.main
clients, modules, folders = json.loads(sys.argv[2])
if folders:
    from bench.worker.module_path import add_module_folders
    add_module_folders(folders)
for name in clients:
    importlib.import_module("strategies.clients." + name)
for name in importlib.metadata.packages_distributions().keys() & modules:
    with contextlib.suppress(Exception):  # the trial says it
        importlib.import_module(name)
loaded = {name.partition(".")[0] for name in sys.modules}
owners = importlib.metadata.packages_distributions()
names = {owner for module in loaded & owners.keys() for owner in owners[module]}
folders = tuple(folder + os.sep for folder in (*os.environ["PYTHONPATH"].split(os.pathsep), *folders))
def is_hidden(module):
    places = (getattr(sys.modules[module], "__file__", None), *getattr(sys.modules[module], "__path__", ()))
    outside = [place for place in places if place is not None and not place.startswith(sys.prefix + os.sep)]
    return any(place.startswith(folders) for place in outside)
hidden = {owner for module in filter(is_hidden, loaded & owners.keys()) for owner in owners[module]}
print(sys.argv[1] + json.dumps({
    "bench": bench.worker.main.__file__,
    "libraries": {name: importlib.metadata.version(name) for name in sorted(names - hidden)},
    "hidden": sorted(hidden),
}))
"""


def compile_folders(python: Path, folders: Sequence[Path]) -> None:
    """Compile folders and the libraries of an environment, so that all variants import equally fast.

    Compiled files stay as they are, and files that are not Python are skipped.

    Raises:
        SetupError: the interpreter cannot be run, or takes too long.
    """
    environment = _environment(os.environ, ())
    run_command((python, "-I", "-c", _COMPILE, *folders), environment=environment, timeout_s=_TIMEOUT_S)


@dataclass(frozen=True, slots=True)
class Probe:
    """The modules to import once.

    Attributes:
        label: of the variant.
        clients: names of the measured clients.
        modules: modules that strategies import; those that are not installed are left out.
        folders: folders of the strategies and their projects.
    """

    label: str
    clients: Collection[str]
    modules: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


def probe_variant(python: Path, import_path: Path, probe: Probe) -> Mapping[str, str]:
    """Import the worker and the clients as a worker would, and return the versions of loaded libraries.

    A library that is loaded from the tree is ``FROM_TREE``, whichever version is installed.

    Raises:
        SetupError: they cannot be imported, or come from outside the import path.
    """
    # -P as for a worker: the current folder is not on the path
    ended = run_command(
        (
            python,
            "-P",
            "-c",
            _IMPORT,
            _MARK,
            json.dumps((sorted(probe.clients), probe.modules, probe.folders)),
        ),
        environment=_environment(os.environ, [import_path]),
        timeout_s=_TIMEOUT_S,
        cwd=import_path,
    )
    answer = _find_answer(ended.stdout) if ended.returncode == 0 else None
    if answer is None:
        raise SetupError(
            f"the workers of {probe.label} cannot be started: {summarize_stderr(ended.stderr)}",
            hint="add missing libraries to the tree's requirements.txt, or to the variant's requirements",
        )
    if not Path(str(answer["bench"])).is_relative_to(import_path):
        raise SetupError(
            f"the workers of {probe.label} would be those of another flagbench, installed in its environment",
            hint="leave flagbench out of its requirements",
        )
    installed = {str(name): one_line(str(version)) for name, version in answer["libraries"].items()}
    return installed | {str(name): FROM_TREE for name in answer["hidden"]}


def _find_answer(stdout: bytes) -> dict[str, Any] | None:
    """Find the answer in an output to which imported modules may have printed, too."""
    lines = stdout.decode(errors="replace").splitlines()
    answers = [line.removeprefix(_MARK) for line in lines if line.startswith(_MARK)]
    try:
        answer = json.loads(answers[-1]) if answers else None
    except ValueError:
        return None
    match answer:
        case {"bench": _, "libraries": dict(), "hidden": list()}:
            return cast("dict[str, Any]", answer)
        case _:
            return None


def _environment(users: Mapping[str, str], path: Sequence[Path]) -> dict[str, str]:
    passed = {name: users[name] for name in _PASSED if name in users}
    return {**passed, "PYTHONPATH": join_import_path(path), "PYTHONUTF8": "1"}
