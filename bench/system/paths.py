"""Where the strategies and configs that ship with flagbench lie: in a checkout, or inside the wheel."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_BUNDLED: Final = _PACKAGE / "_bundled"


def home() -> Path:
    """Return the folder that must be on a worker's path for ``import strategies`` to find ours."""
    return _BUNDLED if _BUNDLED.is_dir() else _PACKAGE.parent


def strategies_folder() -> Path:
    """Return the folder of the strategies that ship with flagbench."""
    return home() / "strategies"


def is_shipped(strategy: Path) -> bool:
    """Say whether the file of a strategy is one of those that ship with flagbench."""
    return strategy.parent.resolve() == strategies_folder()


def configs_folder() -> Path:
    """Return the folder of the configs that ship with flagbench."""
    return home() / "configs"


def import_path() -> tuple[str, ...]:
    """Return what a worker needs in front of its path: where ``bench`` and ``strategies`` are."""
    return tuple(dict.fromkeys((str(home()), str(_PACKAGE.parent))))


def module_folders(top: Path) -> tuple[Path, ...]:
    """Return where the modules of a project lie: at its top, and in its ``src`` if it has one."""
    source = top / "src"
    return (top, source) if source.is_dir() else (top,)


def project_path(files: Iterable[Path]) -> tuple[str, ...]:
    """Return what strategies need on their path besides ours: the git work trees that they lie in.

    Those that ship need nothing, whatever lies around them.
    """
    tops = dict.fromkeys(_top(file) for file in files if not is_shipped(file))
    return tuple(str(folder) for top in tops if top not in {None, home()} for folder in module_folders(top))


def _top(file: Path) -> Path | None:
    return next((folder for folder in file.resolve().parents if (folder / ".git").exists()), None)
