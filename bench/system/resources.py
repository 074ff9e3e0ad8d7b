"""Where the strategies and configs that ship with flagbench lie: in a checkout, or inside the wheel."""

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
