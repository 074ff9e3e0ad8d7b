"""Make the virtual environment of a variant with uv, and keep it in the cache."""

import json
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from bench.config.imported_modules import imported_modules
from bench.errors import SetupError
from bench.model.comparison import Variant
from bench.model.text import one_line
from bench.variants.cache import entry_key, get_or_create, scratch_folder
from bench.variants.dependencies import Declaration, find_unmet
from bench.variants.interpreter import Interpreter
from bench.variants.requirements import (
    check_requirements,
    distribution_name,
    is_fully_hashed,
    is_local,
    parse_requirement,
    resolve_path,
)
from bench.variants.run_command import summarize_stderr
from bench.variants.tree import Tree
from bench.variants.uv import run_uv

_CONSTRAINTS: Final = ".flagbench-constraints.txt"
_OPTIONAL_MODULES: Final = {"httpx": ("h2",)}
"""Modules that a library imports only on request, by the library's module."""


def make_virtualenv(  # noqa: PLR0913  the parts of an environment
    variant: Variant,
    tree: Tree | None,
    declaration: Declaration,
    *,
    interpreter: Interpreter,
    modules: Sequence[str],
    progress: Callable[[str], None],
) -> Path:
    """Make the virtual environment of a variant unless the cache has it, and return its interpreter.

    Args:
        variant: its requirements are installed last.
        tree: the files that requirements refer to; None if there are none.
        declaration: the dependencies of the tree, which are installed first.
        interpreter: the Python of the environment.
        modules: the modules that are needed beside the tree. Their libraries are installed, unless the tree
            brings them, in the versions of the running interpreter, or in others if the tree's allow no such.
        progress: prints a line when an environment is made, as that takes a while.

    Raises:
        UsageError: a requirement is not allowed in a variant.
        SetupError: uv is missing, a requirement cannot be installed, or files of the tree contradict
            each other.
    """
    check_requirements(variant.requirements)
    wanted = installed_versions(modules)
    is_independent = declaration.is_independent and not any(map(is_local, variant.requirements))
    label = one_line(variant.label)

    def fill(folder: Path) -> None:
        progress(f"making {label} an environment of Python {interpreter.version}; it is kept")
        _create(folder, interpreter, label)
        with scratch_folder() as copy:
            # builds write into their folder, so they get a copy; a tree that does not matter is not copied,
            # since even its uv.toml would count
            if tree is not None and not is_independent:
                shutil.copytree(tree.folder, copy, symlinks=True, dirs_exist_ok=True)
            _install_declared(folder, label, copy / declaration.folder, declaration)
            installed = _installed_in(folder, label)
            _refuse_contradiction(declaration, installed, interpreter, label)
            _install_clients(folder, label, copy, wanted, installed)
            if variant.requirements:
                own = (resolve_path(requirement, copy) for requirement in variant.requirements)
                _install(folder, label, copy, "--", *own)

    key = entry_key(
        "environment",
        [str(interpreter.program), interpreter.version, *interpreter.platform],
        [dict(declaration.sources), dict(declaration.expected), *wanted, *variant.requirements],
        "" if tree is None or is_independent else [tree.id, str(declaration.folder)],
    )
    return _python_of(get_or_create("envs", key, fill))


def _refuse_contradiction(
    declaration: Declaration, installed: Mapping[str, str], interpreter: Interpreter, label: str
) -> None:
    """Raise ``SetupError`` if a file of a tree requires other versions than its sources installed."""
    unmet = find_unmet(declaration.expected, installed, interpreter.version)
    if unmet is not None:
        raise SetupError(
            f"the dependencies of {label} contradict each other: {one_line(unmet)}",
            hint=f"update the files so that they agree: {', '.join(declaration.read)}",
        )


def _install_declared(environment: Path, label: str, folder: Path, declaration: Declaration) -> None:
    """Install the dependencies that a project declares; ``folder`` is a copy of the project's."""
    if not declaration.sources:
        return
    for name, text in declaration.sources.items():
        if text is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).unlink(missing_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    texts = [text for text in declaration.sources.values() if text is not None]
    are_hashed = len(texts) == len(declaration.sources) and all(map(is_fully_hashed, texts))
    files = (word for name in declaration.sources for word in ("-r", name))
    _install(environment, label, folder, *files, *(("--require-hashes",) if are_hashed else ()))


def _install_clients(
    environment: Path,
    label: str,
    folder: Path,
    wanted: tuple[Sequence[str], Sequence[str]],
    installed: Mapping[str, str],
) -> None:
    """Install the libraries of clients that are missing, without changing those that are installed.

    Args:
        environment: the virtual environment.
        label: of the variant.
        folder: where constraints are written and paths begin.
        wanted: the libraries, and those with their dependencies, as ``installed_versions`` returns them.
        installed: versions by normalised name.
    """
    pins, constraints = wanted
    missing = [pin for pin in pins if distribution_name(pin) not in installed]
    if not missing:
        return
    kept = [f"{name}=={version}" for name, version in installed.items()]
    free = [pin for pin in constraints if distribution_name(pin) not in installed]
    (folder / _CONSTRAINTS).unlink(missing_ok=True)
    (folder / _CONSTRAINTS).write_text("\n".join([*kept, *free]), encoding="utf-8")
    try:
        _install(environment, label, folder, "-c", _CONSTRAINTS, *missing)
    except SetupError:
        if not kept:
            raise
        (folder / _CONSTRAINTS).write_text("\n".join(kept), encoding="utf-8")
        names = (pin.partition("==")[0] for pin in missing)
        _install(environment, label, folder, "-c", _CONSTRAINTS, *names)


def _installed_in(environment: Path, label: str) -> dict[str, str]:
    """Return the distributions of an environment by normalised name."""
    ended = run_uv("pip", "list", "--quiet", "--format", "json", "--python", _python_of(environment))
    if ended.returncode != 0:
        raise SetupError(f"cannot list the libraries of {label}: {summarize_stderr(ended.stderr)}")
    return {canonicalize_name(str(each["name"])): str(each["version"]) for each in json.loads(ended.stdout)}


def modules_behind(clients: Collection[Path]) -> list[str]:
    """Return the top-level modules that client files import, read from their text.

    A file that cannot be read is left out here; importing it will fail later.
    """
    found = set(imported_modules(clients))
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
