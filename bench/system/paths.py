"""Locate the shipped strategies and configs, in a checkout or in the wheel, for import paths and listings."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bench.errors import SetupError
from bench.model.text import one_line

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_BUNDLED: Final = _PACKAGE / "_bundled"
_PROJECT_FILES: Final = (
    "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "uv.lock", "poetry.lock", "pylock.toml",
    "Pipfile", "environment.yml", "src",
)  # fmt: skip
"""Names that a folder of a project has, one at least."""


def home() -> Path:
    """Return the folder that a worker needs on its path to import our ``strategies``."""
    return _BUNDLED if _BUNDLED.is_dir() else _PACKAGE.parent


def strategies_folder() -> Path:
    """Return the folder of the shipped strategies."""
    return home() / "strategies"


def is_shipped(strategy: Path) -> bool:
    """Tell whether the file of a strategy is a shipped one."""
    return strategy.parent.resolve() == strategies_folder()


def configs_folder() -> Path:
    """Return the folder of the shipped configs."""
    return home() / "configs"


def import_path() -> tuple[str, ...]:
    """Return the folders of ``bench`` and ``strategies``, which a worker needs in front of its path."""
    return tuple(dict.fromkeys((str(home()), str(_PACKAGE.parent))))


def join_import_path(folders: Iterable[str | Path]) -> str:
    """Join folders for ``PYTHONPATH``.

    Raises:
        SetupError: the name of a folder has the separator in it.
    """
    names = [str(folder) for folder in folders]
    if broken := next((name for name in names if os.pathsep in name), None):
        raise SetupError(
            f"the folder {one_line(broken)} cannot be on an import path: "
            f"{os.pathsep!r} separates the folders of one",
            hint="rename it or the folder above it, or move it to another one",
        )
    return os.pathsep.join(names)


def module_folders(top: Path) -> tuple[Path, ...]:
    """Return the folders of a project's modules: its top, and its ``src`` if it has one."""
    source = top / "src"
    return (top, source) if source.is_dir() else (top,)


def package_root(file: Path, module: str) -> Path:
    """Return the folder from which a file is imported as a module of this dotted name."""
    depth = module.count(".") + (1 if file.stem == "__init__" else 0)
    return file.parents[depth]


def strategy_path(file: Path, import_path: Iterable[str] = (), tree: Path | None = None) -> tuple[str, ...]:
    """Return the folders that a strategy may import from, beyond the import path of its worker.

    Those are its own folder, that of the nearest project, and the top of the git work tree, the latter two
    with their ``src``. A strategy in ``strategies`` of the import path needs none, whatever is around it.

    Args:
        file: the file of the strategy.
        import_path: folders of ``bench`` and ``strategies``.
        tree: the tree of a variant, which is the top of the files below it.
    """
    place = file.resolve()
    if is_shipped(file) or any(file.parent == Path(folder, "strategies") for folder in import_path):
        return ()
    top = _work_tree(place) if tree is None or not place.is_relative_to(tree.resolve()) else tree.resolve()
    folders = (place.parent, *_module_folders_of(_nearest_project(place, top)), *_module_folders_of(top))
    return tuple(dict.fromkeys(str(folder) for folder in folders if folder != home()))


def _module_folders_of(top: Path | None) -> tuple[Path, ...]:
    return () if top is None else module_folders(top)


def _nearest_project(file: Path, top: Path | None) -> Path | None:
    """Return the nearest folder above a file that looks like a project, below ``top`` if there is one."""
    ends = {top, Path.home()}  # without a work tree, a file in the home folder makes it no project
    for folder in file.parents:
        if folder in ends or folder.parent == folder:
            break
        if any((folder / name).exists() for name in _PROJECT_FILES):
            return folder
    return None


def _work_tree(file: Path) -> Path | None:
    return next((folder for folder in file.parents if (folder / ".git").exists()), None)
