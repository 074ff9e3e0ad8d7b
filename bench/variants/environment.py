"""The libraries behind clients, in the versions that the running interpreter has."""

import re
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from bench.config.strategy_source import foreign_modules, parse_source
from bench.errors import SetupError, UsageError
from bench.model.comparison import Variant
from bench.model.text import one_line
from bench.variants.cache import get_or_create, key_of, scratch
from bench.variants.interpreter import Interpreter
from bench.variants.requirements import (
    is_hashed,
    is_local,
    located,
    refuse_unfit,
    stands_alone,
    without_editables,
)
from bench.variants.run_command import last_words
from bench.variants.tree import Tree
from bench.variants.uv import uv

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BESIDE: Final = {"httpx": ("h2",)}
"""What a library imports only where it was asked to, by its module."""


def modules_behind(clients: Collection[Path]) -> list[str]:
    """Return the top-level modules that client files import, read from their text.

    A file that cannot be read has none; that it cannot be imported will tell.
    """
    found: set[str] = set()
    for client in clients:
        try:
            found.update(foreign_modules(parse_source(client)))
        except UsageError:
            continue
    return sorted(found.union(*(_BESIDE.get(module, ()) for module in found)))


def installed_versions(modules: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return which distributions have these modules, and all that they may depend on, as ``name==version``.

    Both are of the running interpreter; a module that it does not have is left out. What of the dependencies
    another interpreter needs is for that to say: they are versions to choose, not distributions to install.
    """
    owners = metadata.packages_distributions()
    direct = sorted({owner for module in modules for owner in owners.get(module, ())})
    return [_pinned(name) for name in direct], sorted(map(_pinned, _with_dependencies(direct)))


def _with_dependencies(names: Sequence[str]) -> set[str]:
    """Return the names of distributions with those of all installed ones that they may ask for."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _dependencies(name)
    return seen


def _dependencies(name: str) -> Iterator[str]:
    for requirement in metadata.requires(name) or ():
        found = _NAME.match(requirement)
        try:
            if found is not None and "extra ==" not in requirement:
                yield metadata.distribution(found[0]).name
        except metadata.PackageNotFoundError:  # for another system or interpreter
            continue


def _pinned(name: str) -> str:
    return f"{name}=={metadata.version(name)}"


_FILE: Final = "requirements.txt"
_CONSTRAINTS: Final = ".flagbench-constraints.txt"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be installed first.

    Attributes:
        text: a file of requirements.
        constraints: the versions to choose of what they depend on, in the same form.
        is_anywhere: whether it means the same wherever it lies.
    """

    text: str
    constraints: str
    is_anywhere: bool


def environment_for(
    variant: Variant,
    tree: Tree,
    interpreter: Interpreter,
    clients: Collection[Path],
    say: Callable[[str], None],
) -> Path:
    """Have the environment of a variant in the cache, and return its interpreter.

    Args:
        variant: whose requirements are put on top.
        tree: its ``requirements.txt`` comes first. Without one, it is what the clients need, in the versions
            of the running interpreter.
        interpreter: which it is for.
        clients: the files of those that are measured.
        say: is told when it has to be made, which takes a while.

    Raises:
        UsageError: a requirement cannot be one of a variant.
        EnvironmentFault: uv is missing, or something cannot be installed.
    """
    refuse_unfit(variant.requirements)
    wanted = _wanted(tree, clients)
    is_anywhere = wanted.is_anywhere and not any(map(is_local, variant.requirements))
    key = key_of(
        "environment",
        [str(interpreter.program), interpreter.version, *interpreter.platform],
        [wanted.text, wanted.constraints, *variant.requirements],
        "" if is_anywhere else tree.id,
    )
    label = one_line(variant.label)

    def fill(folder: Path) -> None:
        say(f"note: making {label} an environment of Python {interpreter.version}; it is kept")
        _make(folder, interpreter, label)
        with scratch() as copy:
            # of a tree that does not count not even its uv.toml may; builders write where they build
            if not is_anywhere:
                shutil.copytree(tree.folder, copy, symlinks=True, dirs_exist_ok=True)
            for name, text in ((_FILE, wanted.text), (_CONSTRAINTS, wanted.constraints)):
                (copy / name).unlink(missing_ok=True)
                (copy / name).write_text(text, encoding="utf-8")
            strictly = ("--require-hashes",) if is_hashed(wanted.text) else ()
            _install(folder, label, copy, "-r", _FILE, "-c", _CONSTRAINTS, *strictly)
            if variant.requirements:
                _install(folder, label, copy, "--", *(located(each, copy) for each in variant.requirements))

    return python_of(get_or_create("envs", key, fill))


def python_of(environment: Path) -> Path:
    """Return the interpreter of an environment."""
    return environment / "bin" / "python"


def _wanted(tree: Tree, clients: Collection[Path]) -> _Wanted:
    file = tree.folder / _FILE
    if file.is_file():
        try:
            text = without_editables(file.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise SetupError(f"the tree's {_FILE} is not UTF-8", hint="write it so") from error
        return _Wanted(text, "", stands_alone(text))
    direct, all_of_them = installed_versions(modules_behind(clients))
    return _Wanted("\n".join(direct), "\n".join(all_of_them), is_anywhere=True)


def _make(folder: Path, interpreter: Interpreter, label: str) -> None:
    # relocatable: it is made under a name that is not its last one
    options = ("--quiet", "--no-project", "--no-config", "--no-python-downloads", "--relocatable")
    ended = uv("venv", *options, "--allow-existing", "--python", interpreter.program, folder)
    if ended.returncode != 0:
        raise SetupError(
            f"cannot make {label} an environment of Python {interpreter.version}: {last_words(ended.stderr)}",
            hint="see that this interpreter works",
        )


def _install(environment: Path, label: str, folder: Path, *words: str) -> None:
    ended = uv("pip", "install", "--quiet", "--python", python_of(environment), *words, folder=folder)
    if ended.returncode != 0:
        raise SetupError(
            f"cannot install what {label} needs: {last_words(ended.stderr)}",
            hint="see that these requirements can be met, and that uv reaches its index",
        )
