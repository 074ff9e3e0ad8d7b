"""Locate the shipped strategies and configs, in a checkout or in the wheel, for import paths and listings."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_BUNDLED: Final = _PACKAGE / "_bundled"


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


def module_folders(top: Path) -> tuple[Path, ...]:
    """Return the folders of a project's modules: its top, and its ``src`` if it has one."""
    source = top / "src"
    return (top, source) if source.is_dir() else (top,)


def project_path(files: Iterable[Path]) -> tuple[str, ...]:
    """Return the module folders of the git work trees around strategies, which they need on their path.

    Shipped strategies need none, whatever is around them.
    """
    tops = dict.fromkeys(_work_tree(file) for file in files if not is_shipped(file))
    return tuple(str(folder) for top in tops if top not in {None, home()} for folder in module_folders(top))


def _work_tree(file: Path) -> Path | None:
    return next((folder for folder in file.resolve().parents if (folder / ".git").exists()), None)
