"""Make the virtual environment of a variant with uv, and keep it in the cache."""

import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from bench.config.catalog import foreign_modules, parse_source
from bench.errors import SetupError, UsageError
from bench.model.comparison import Variant
from bench.model.text import one_line
from bench.variants.cache import entry_key, get_or_create, scratch_folder
from bench.variants.interpreter import Interpreter
from bench.variants.requirements import (
    check_requirements,
    drop_editable_options,
    is_fully_hashed,
    is_independent_of_tree,
    is_local,
    parse_requirement,
    resolve_path,
)
from bench.variants.run_command import summarize_stderr
from bench.variants.tree import Tree
from bench.variants.uv import run_uv

_REQUIREMENTS: Final = "requirements.txt"
_CONSTRAINTS: Final = ".flagbench-constraints.txt"
_OPTIONAL_MODULES: Final = {"httpx": ("h2",)}
"""Modules that a library imports only on request, by the library's module."""


@dataclass(frozen=True, slots=True)
class _BaseRequirements:
    """The requirements to install first.

    Attributes:
        text: a requirements file.
        constraints: the versions to choose for their dependencies, in the same form.
        is_independent: whether the file means the same in any tree.
    """

    text: str
    constraints: str
    is_independent: bool


def make_virtualenv(
    variant: Variant,
    tree: Tree,
    interpreter: Interpreter,
    clients: Collection[Path],
    progress: Callable[[str], None],
) -> Path:
    """Make the virtual environment of a variant unless the cache has it, and return its interpreter.

    Args:
        variant: its requirements are installed last.
        tree: its ``requirements.txt`` is installed first. Without one, the libraries of the clients are, in
            the versions of the running interpreter.
        interpreter: the Python of the environment.
        clients: the files of the measured clients.
        progress: prints a line when an environment is made, as that takes a while.

    Raises:
        UsageError: a requirement is not allowed in a variant.
        SetupError: uv is missing, or a requirement cannot be installed.
    """
    check_requirements(variant.requirements)
    base = _base_requirements(tree, clients)
    is_independent = base.is_independent and not any(map(is_local, variant.requirements))
    key = entry_key(
        "environment",
        [str(interpreter.program), interpreter.version, *interpreter.platform],
        [base.text, base.constraints, *variant.requirements],
        "" if is_independent else tree.id,
    )
    label = one_line(variant.label)

    def fill(folder: Path) -> None:
        progress(f"making {label} an environment of Python {interpreter.version}; it is kept")
        _create(folder, interpreter, label)
        with scratch_folder() as copy:
            # builds write into their folder, so they get a copy; a tree that does not matter is not copied,
            # since even its uv.toml would count
            if not is_independent:
                shutil.copytree(tree.folder, copy, symlinks=True, dirs_exist_ok=True)
            for name, text in ((_REQUIREMENTS, base.text), (_CONSTRAINTS, base.constraints)):
                (copy / name).unlink(missing_ok=True)
                (copy / name).write_text(text, encoding="utf-8")
            hashes = ("--require-hashes",) if is_fully_hashed(base.text) else ()
            _install(folder, label, copy, "-r", _REQUIREMENTS, "-c", _CONSTRAINTS, *hashes)
            if variant.requirements:
                own = (resolve_path(requirement, copy) for requirement in variant.requirements)
                _install(folder, label, copy, "--", *own)

    return _python_of(get_or_create("envs", key, fill))


def _base_requirements(tree: Tree, clients: Collection[Path]) -> _BaseRequirements:
    file = tree.folder / _REQUIREMENTS
    if file.is_file():
        try:
            text = drop_editable_options(file.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise SetupError(f"the tree's {_REQUIREMENTS} is not UTF-8", hint="encode it as UTF-8") from error
        return _BaseRequirements(text, "", is_independent_of_tree(text))
    direct, with_dependencies = installed_versions(modules_behind(clients))
    return _BaseRequirements("\n".join(direct), "\n".join(with_dependencies), is_independent=True)


def modules_behind(clients: Collection[Path]) -> list[str]:
    """Return the top-level modules that client files import, read from their text.

    A file that cannot be read is left out here; importing it will fail later.
    """
    found: set[str] = set()
    for client in clients:
        try:
            found.update(foreign_modules(parse_source(client)))
        except UsageError:
            continue
    return sorted(found.union(*(_OPTIONAL_MODULES.get(module, ()) for module in found)))


def installed_versions(modules: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the distributions of modules, and those with all their dependencies, as ``name==version``.

    Both are of the running interpreter; a module that it does not have is left out. Versions of dependencies
    constrain the choice of another interpreter, which may need fewer of them, and must not be installed.
    """
    owners = metadata.packages_distributions()
    direct = sorted({owner for module in modules for owner in owners.get(module, ())})
    return [_pin(name) for name in direct], sorted(_pin(name) for name in _with_dependencies(direct))


def _with_dependencies(names: Sequence[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _installed_dependencies(name)
    return found


def _installed_dependencies(name: str) -> Iterator[str]:
    for text in metadata.requires(name) or ():
        requirement = parse_requirement(text)
        if requirement is None or "extra ==" in str(requirement.marker):
            continue
        try:
            yield metadata.distribution(requirement.name).name
        except metadata.PackageNotFoundError:  # another system or interpreter needs it
            continue


def _pin(name: str) -> str:
    return f"{name}=={metadata.version(name)}"


def _create(folder: Path, interpreter: Interpreter, label: str) -> None:
    # relocatable, as the folder is renamed when it is complete
    options = ("--quiet", "--no-project", "--no-config", "--no-python-downloads", "--relocatable")
    ended = run_uv("venv", *options, "--allow-existing", "--python", interpreter.program, folder)
    if ended.returncode != 0:
        reason = summarize_stderr(ended.stderr)
        raise SetupError(
            f"cannot make {label} an environment of Python {interpreter.version}: {reason}",
            hint="check that this interpreter works",
        )


def _install(environment: Path, label: str, folder: Path, *arguments: str) -> None:
    python = _python_of(environment)
    ended = run_uv("pip", "install", "--quiet", "--python", python, *arguments, folder=folder)
    if ended.returncode != 0:
        raise SetupError(
            f"cannot install the requirements of {label}: {summarize_stderr(ended.stderr)}",
            hint="check that they can be met, and that uv reaches its index",
        )


def _python_of(environment: Path) -> Path:
    return environment / "bin" / "python"
