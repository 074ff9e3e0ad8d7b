"""Find the files in which a project declares its dependencies, and read those that uv can install from."""

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from packaging.utils import canonicalize_name

from bench.errors import SetupError, UsageError
from bench.model.text import join_and, one_line
from bench.variants.interpreter import Interpreter
from bench.variants.requirements import (
    applies_to,
    drop_editable_options,
    included_files,
    is_fully_hashed,
    is_independent_of_tree,
    parse_requirement,
    requirement_lines,
)
from bench.variants.run_command import summarize_stderr
from bench.variants.uv import run_uv

_COPIED_PYPROJECT: Final = ".flagbench-pyproject.txt"
_COPIED_SETUP_CFG: Final = ".flagbench-setup-cfg.txt"
_EXPORTED_LOCK: Final = ".flagbench-uv-lock.txt"
_REQUIREMENTS: Final = "requirements.txt"
_PYPROJECT: Final = "pyproject.toml"
_UV_LOCK: Final = "uv.lock"
_PYLOCK: Final = re.compile(r"pylock(\.[^.]+)?\.toml")
_FOREIGN_LOCKS: Final = ("poetry.lock", "pdm.lock", "Pipfile.lock")
"""Exact versions that uv cannot read."""
_FOREIGN_FILES: Final = (
    "Pipfile", "environment.yml", "environment.yaml", "conda-lock.yml", "pixi.lock", "pixi.toml",
)  # fmt: skip
_REQUIREMENTS_FILE: Final = re.compile(r"(?i).*(requirements|constraints|\breqs?\b|\bdeps\b).*\.(txt|in)")
_NOT_FOR_RUNNING: Final = re.compile(
    r"(?i)(^|[-_./])(dev|devel|development|tests?|testing|docs?|lint|linting|typing|mypy|ci|build|release|"
    r"tools?|tooling|audit|bench|benchmarks?|constraints?|examples?|optional|all)([-_./]|$)"
)
_SCRIPT: Final = re.compile(r"(?m)^# /// script\s*$")
_SKIPPED_FOLDERS: Final = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "env"})
_EXPORT: Final = (
    "--frozen", "--no-dev", "--no-editable", "--no-emit-project", "--no-header", "--no-annotate", "--quiet",
    "--no-python-downloads",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Declaration:
    """The dependencies that a project declares in its files. Paths are relative to the tree.

    Attributes:
        folder: the project's folder.
        sources: each file for ``uv pip install -r``, relative to ``folder``, with the text to write there
            before; None leaves the file as it is.
        is_independent: whether the sources mean the same in any tree.
        expected: requirements that the installed versions must meet, by the file that has them.
        read: the files that decided.
        unread_locks: files that decide versions elsewhere, and that nothing read here replaces.
        unread: hash of the content of every file that declares dependencies and was not read.
    """

    folder: Path
    sources: Mapping[str, str | None] = field(default_factory=dict)
    is_independent: bool = True
    expected: Mapping[str, Sequence[str]] = field(default_factory=dict)
    read: tuple[str, ...] = ()
    unread_locks: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)


def find_project(tree: Path, strategies: Collection[Path]) -> Path:
    """Return the folder whose files declare the dependencies of strategies: the nearest one that has any.

    Args:
        tree: a strategy without such a folder belongs to this one.
        strategies: the user's own strategy files in the tree.

    Raises:
        UsageError: they belong to different projects.
    """
    folders = {file: _nearest_declaring(file.parent, tree) for file in strategies}
    found = sorted(set(folders.values())) or [tree]
    if len(found) > 1:
        names = join_and([str(folder.relative_to(tree)) for folder in found])
        raise UsageError(
            f"the strategies belong to projects with dependencies of their own: {one_line(names)}",
            hint="compare the strategies of one project at a time, with --only or a config for each",
        )
    return found[0]


def read_declaration(
    tree: Path, folder: Path, interpreter: Interpreter, strategies: Collection[Path] = ()
) -> Declaration:
    """Read the dependencies that a project in a tree declares.

    Args:
        tree: the tree.
        folder: the project's folder in it.
        interpreter: the Python for which a lock is exported.
        strategies: files that may declare dependencies in a comment, as scripts do; a lock goes before.

    Raises:
        SetupError: a file cannot be read, or uv cannot export its lock.
    """
    project = _read_toml(folder / _PYPROJECT) if (folder / _PYPROJECT).is_file() else {}
    lock = _uv_lock_of(folder, tree)
    exported = None if lock is None else _export_lock(folder, interpreter)
    pylocks = _pylocks(folder)
    sources = _complete_sources(folder, exported, pylocks)
    is_complete = bool(sources)
    others = [] if is_complete else _other_requirements(folder)
    if len(others) == 1:
        sources[others[0]] = _read_requirements(folder / others[0])
    read = {file for name in sources if (file := folder / name).is_file()}
    read |= {file for each in read for file in included_files(each, tree)}
    static = _static_dependencies(project)
    is_locked = _is_locked(sources)
    if static and is_locked:
        read.add(folder / _PYPROJECT)  # nothing may be added to a lock; `expected` holds it against them
    elif static or not is_complete:
        ranges, names = _range_sources(folder, project, static)
        sources |= ranges
        read |= {folder / name for name in names}
    if not is_locked:
        scripts = [file for file in strategies if _SCRIPT.search(file.read_text("utf-8", errors="replace"))]
        sources |= {os.path.relpath(file, folder): None for file in scripts}
        read.update(scripts)
    if lock is not None:
        read.add(lock)
    unread_locks = [] if is_complete else _unread_locks(folder, project, sources, [others, pylocks])
    return Declaration(
        folder=folder.relative_to(tree),
        sources=sources,
        is_independent=all(text is not None and is_independent_of_tree(text) for text in sources.values()),
        expected=_expected_versions(static, sources, exported),
        read=tuple(sorted(_relative(file, tree) for file in read)),
        unread_locks=tuple(_relative(folder / name, tree) for name in unread_locks),
        unread=_digest_unread(tree, read),
    )


def _complete_sources(folder: Path, exported: str | None, pylocks: Sequence[str]) -> dict[str, str | None]:
    """Return the source that names all dependencies of a project; empty if there is none."""
    if (folder / _REQUIREMENTS).is_file():
        return {_REQUIREMENTS: _read_requirements(folder / _REQUIREMENTS)}
    if exported is not None:
        return {_EXPORTED_LOCK: exported}
    return {pylocks[0]: None} if len(pylocks) == 1 else {}


def _is_locked(sources: Mapping[str, str | None]) -> bool:
    """Tell whether sources name exact versions, to which nothing may be added."""
    return _EXPORTED_LOCK in sources or any(
        text is None or is_fully_hashed(text) for text in sources.values()
    )


def _expected_versions(
    static: Sequence[str], sources: Collection[str], exported: str | None
) -> dict[str, Sequence[str]]:
    """Return the requirements that installed versions must meet beyond the sources, by file."""
    expected = {_PYPROJECT: static} if static else {}
    if exported is not None and _REQUIREMENTS in sources:
        expected[_UV_LOCK] = requirement_lines(exported)
    return expected


def _range_sources(
    folder: Path, project: Mapping[str, Any], static: Sequence[str]
) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """Return the source that names the direct dependencies of a project, and the files that it is from."""
    if static and not _table(project, "tool", "uv"):
        return {_COPIED_PYPROJECT: "\n".join(static)}, (_PYPROJECT,)
    if static or _needs_build(project):
        return {_PYPROJECT: None}, (_PYPROJECT,)
    if "project" in project:
        return {}, ()
    if (folder / "setup.py").is_file():
        return {"setup.py": None}, ("setup.py", *(("setup.cfg",) if (folder / "setup.cfg").is_file() else ()))
    if from_cfg := _setup_cfg_dependencies(folder):
        return {_COPIED_SETUP_CFG: "\n".join(from_cfg)}, ("setup.cfg",)
    return {}, ()


def find_unmet(
    expected: Mapping[str, Sequence[str]], installed: Mapping[str, str], python: str
) -> str | None:
    """Say which requirement of a file the installed versions do not meet; return None if they meet all.

    Args:
        expected: requirements by file; of a lock, only those whose distribution is installed count.
        installed: versions by normalised name.
        python: version of the interpreter.
    """
    for file, requirements in expected.items():
        for requirement in map(parse_requirement, requirements):
            if requirement is None or not applies_to(requirement, python):
                continue
            version = installed.get(canonicalize_name(requirement.name))
            if version is None and file != _UV_LOCK:
                return f"{file} requires {requirement.name}, which is not installed"
            if (
                version
                and requirement.specifier
                and not requirement.specifier.contains(version, prereleases=True)
            ):
                return (
                    f"{file} requires {requirement.name}{requirement.specifier}, and {version} is installed"
                )
    return None


def _nearest_declaring(folder: Path, tree: Path) -> Path:
    for each in (folder, *folder.parents):
        if each == tree or not each.is_relative_to(tree):
            break
        if _declares(each):
            return each
    return tree


def _declares(folder: Path) -> bool:
    """Tell whether a folder has a file that declares dependencies."""
    names = (_REQUIREMENTS, _UV_LOCK, "setup.py", *_FOREIGN_LOCKS, *_FOREIGN_FILES)
    if any((folder / name).is_file() for name in names) or _pylocks(folder) or _other_requirements(folder):
        return True
    project = _read_toml(folder / _PYPROJECT) if (folder / _PYPROJECT).is_file() else {}
    return "project" in project or _needs_build(project) or bool(_setup_cfg_dependencies(folder))


def _pylocks(folder: Path) -> list[str]:
    found = sorted(file.name for file in folder.glob("pylock*.toml") if _PYLOCK.fullmatch(file.name))
    return ["pylock.toml"] if "pylock.toml" in found else found


def _other_requirements(folder: Path) -> list[str]:
    """Return requirements files of other names, or in ``requirements/``, that are meant for running."""
    files = [*folder.glob("*.txt"), *folder.glob("*.in")]
    named = [file.name for file in files if file.is_file() and _REQUIREMENTS_FILE.fullmatch(file.name)]
    inner = folder / "requirements"
    named += [f"{inner.name}/{file.name}" for each in ("*.txt", "*.in") for file in inner.glob(each)]
    found = {name for name in named if not _NOT_FOR_RUNNING.search(name) and name != _REQUIREMENTS}
    compiled = {name for name in found if name.endswith(".in") and f"{name[:-3]}.txt" in found}
    found -= compiled
    included = {
        os.path.relpath(file, folder) for name in found for file in included_files(folder / name, folder)
    }
    return sorted(found - included)


def _unread_locks(
    folder: Path,
    project: Mapping[str, Any],
    sources: Collection[str],
    alternatives: Iterable[Sequence[str]],
) -> list[str]:
    """Return the files that decide versions elsewhere; of several alternatives none was read."""
    names = _FOREIGN_LOCKS if sources else (*_FOREIGN_LOCKS, *_FOREIGN_FILES)
    found = [name for name in names if (folder / name).is_file()]
    found += [name for names in alternatives if len(names) > 1 for name in names]
    if _table(project, "tool", "poetry", "dependencies") and _PYPROJECT not in sources:
        found.append(_PYPROJECT)
    return found


def _static_dependencies(project: Mapping[str, Any]) -> list[str]:
    """Return ``dependencies`` of ``[project]``."""
    listed = _table(project, "project").get("dependencies")
    return [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []


def _needs_build(project: Mapping[str, Any]) -> bool:
    """Tell whether the dependencies of a pyproject.toml are known to its build system only."""
    if "project" in project:
        return "dependencies" in _table(project, "project").get("dynamic", ())
    poetry = _table(project, "tool", "poetry")
    # another build system, setuptools by default, would find none of Poetry's dependencies
    is_built = str(_table(project, "build-system").get("build-backend", "")).startswith("poetry")
    return is_built and bool(poetry.get("dependencies")) and poetry.get("package-mode") is not False


def _setup_cfg_dependencies(folder: Path) -> list[str]:
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(folder / "setup.cfg", encoding="utf-8")
        text = parser.get("options", "install_requires", fallback="")
    except (ConfigParserError, UnicodeDecodeError):
        return []
    if text.strip().startswith("file:"):
        names = [name.strip() for name in text.strip().removeprefix("file:").split(",")]
        files = [folder / name for name in names]
        return [line for file in files if file.is_file() for line in requirement_lines(_read_text(file))]
    return [line.strip() for line in text.splitlines() if line.strip()]


def _uv_lock_of(folder: Path, tree: Path) -> Path | None:
    """Return the lock of a project that uv manages: its own, or that of the workspace around it."""
    if not (folder / _PYPROJECT).is_file():
        return None
    for each in (folder, *folder.parents):
        if not each.is_relative_to(tree):
            return None
        if (each / _UV_LOCK).is_file() and (each == folder or _is_workspace(each)):
            return each / _UV_LOCK
    return None


def _is_workspace(folder: Path) -> bool:
    file = folder / _PYPROJECT
    return file.is_file() and "workspace" in _table(_read_toml(file), "tool", "uv")


def _export_lock(folder: Path, interpreter: Interpreter) -> str:
    ended = run_uv("export", *_EXPORT, "--python", interpreter.program, folder=folder)
    if ended.returncode != 0:
        raise SetupError(
            f"uv cannot export the {_UV_LOCK} of the tree: {summarize_stderr(ended.stderr)}",
            hint="run `uv lock` there, or update uv",
        )
    return ended.stdout.decode(errors="replace")


def _read_requirements(file: Path) -> str:
    return drop_editable_options(_read_text(file))


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SetupError(
            f"the tree's {one_line(file.name)} is not UTF-8", hint="encode it as UTF-8"
        ) from error


def _read_toml(file: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(_read_text(file))
    except tomllib.TOMLDecodeError as error:
        raise SetupError(
            f"the tree's {one_line(file.name)} is not TOML: {one_line(str(error))}", hint="correct it"
        ) from error


def _table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return a table of a TOML document; an empty one where there is none."""
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _digest_unread(tree: Path, read: Collection[Path]) -> dict[str, str]:
    """Return a hash for each file that declares dependencies and was not read."""
    found: dict[str, str] = {}
    for file in _declaring_files(tree):
        name = _relative(file, tree)
        content: object = None
        if file.name == _PYPROJECT:
            content = _dependency_tables(file, only_optional=file in read)
            name = f"{name} (extras and groups)" if file in read else name
        elif file not in read:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
        if content:
            found[name] = hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()[:16]
    return found


def _declaring_files(tree: Path) -> Iterator[Path]:
    """Yield the files of a tree that declare dependencies by their names."""
    for place, folders, names in os.walk(tree):
        folders[:] = sorted(
            name for name in folders if name not in _SKIPPED_FOLDERS and not name.startswith(".")
        )
        for name in sorted(names):
            file = Path(place, name)
            is_named = name in {
                _PYPROJECT,
                _UV_LOCK,
                "setup.py",
                "setup.cfg",
                *_FOREIGN_LOCKS,
                *_FOREIGN_FILES,
            }
            is_requirements = _REQUIREMENTS_FILE.fullmatch(name) or (
                file.parent.name == "requirements" and file.suffix in {".txt", ".in"}
            )
            if (is_named or _PYLOCK.fullmatch(name) or is_requirements) and file.is_file():
                yield file


def _dependency_tables(file: Path, *, only_optional: bool) -> object:
    """Return the tables of a pyproject.toml that declare dependencies, or only those that are optional."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return hashlib.sha256(file.read_bytes()).hexdigest()
    tables: list[Any] = [
        _table(document, "project").get("optional-dependencies"),
        document.get("dependency-groups"),
        _table(document, "tool", "hatch").get("envs"),
        _table(document, "tool").get("pixi"),
        _table(document, "tool", "poetry").get("group"),
    ]
    if not only_optional:
        tables += [_table(document, *keys).get("dependencies") for keys in (("project",), ("tool", "poetry"))]
    found = [table for table in tables if table]
    return found or None


def _relative(file: Path, tree: Path) -> str:
    return file.relative_to(tree).as_posix()
