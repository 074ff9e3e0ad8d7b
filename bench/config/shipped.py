"""Where a config lies: at a path, or among those that ship, by its bare name."""

from pathlib import Path
from typing import Final

from bench.config.problems import path_shown
from bench.config.wording import near
from bench.errors import ConfigError
from bench.system import resources

_SUFFIXES: Final = (".yaml", ".yml")


def names() -> tuple[str, ...]:
    """Return the bare names of the configs that ship, in alphabetical order."""
    return tuple(sorted(file.stem for file in resources.configs_folder().glob("*.yaml")))


def find(name_or_path: str | Path) -> Path:
    """Return a config's file; ``ConfigError`` names the nearest one where there is none.

    A bare word such as ``default`` is always one of those that ship, whatever lies in the current
    folder; anything with a folder or a suffix in it, ``mine.txt`` too, is a path.
    """
    path = Path(name_or_path)
    if not path.suffix and len(path.parts) == 1 and str(path) == str(name_or_path):
        if path.name not in names():
            raise ConfigError((f"{path_shown(path)}: no such config{near(path.name, names())}",))
        return resources.configs_folder() / f"{path.name}.yaml"
    if not _exists(path):
        raise ConfigError((f"{path_shown(path)}: no such file{near(str(path), _beside(path))}",))
    return path


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except (OSError, ValueError):  # told by the reader, which meets it again
        return True
    return True


def _beside(path: Path) -> list[str]:
    """Return the configs of the same folder; a link to nothing is no help."""
    files = [file for suffix in _SUFFIXES for file in path.parent.glob(f"*{suffix}")]
    return [str(file) for file in files if file.is_file()]
