"""Where a strategy of one's own finds the project that it belongs to."""

from collections.abc import Iterable
from pathlib import Path

from bench.bundle import home


def module_folders(top: Path) -> tuple[Path, ...]:
    """Return where the modules of a project lie: at its top, and in its ``src`` if it has one."""
    source = top / "src"
    return (top, source) if source.is_dir() else (top,)


def project_path(files: Iterable[Path]) -> tuple[str, ...]:
    """Return what strategies need on their path besides ours: the git work trees that they lie in."""
    tops = dict.fromkeys(filter(None, map(_top, files)))
    return tuple(str(folder) for top in tops if top != home() for folder in module_folders(top))


def _top(file: Path) -> Path | None:
    return next((folder for folder in file.resolve().parents if (folder / ".git").exists()), None)
