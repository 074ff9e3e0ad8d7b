"""Where a strategy of one's own finds the project that it belongs to."""

from collections.abc import Iterable
from pathlib import Path

from bench.system.resources import home, is_shipped


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
