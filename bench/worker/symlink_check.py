"""What leads out of a trial's folder: links by which something outside of it was or could be changed."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path


def escaping_links(folder: Path, made: Iterable[Path]) -> list[str]:
    """Name the links among what was made below a folder that lead out of it, as seen from there.

    A symbolic link leads where it points; a file leads out if it has more names than there are below the
    folder. The folder itself may have become a link, too.
    """
    if folder.is_symlink():
        return [f"{folder.name} -> {_target(folder)}"]
    found = [(path, state) for path in made if (state := _state(path)) is not None]
    links = (path for path, state in found if stat.S_ISLNK(state.st_mode))
    files = ((path, state) for path, state in found if stat.S_ISREG(state.st_mode) and state.st_nlink > 1)
    leading = [f"{path.relative_to(folder)} -> {_target(path)}" for path in links if _leads_out(folder, path)]
    shared = [f"{path.relative_to(folder)} is the same file as one outside" for path in _shared(files)]
    return sorted(leading) + sorted(shared)


def _state(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:  # it went while we looked
        return None


def _shared(files: Iterable[tuple[Path, os.stat_result]]) -> Iterator[Path]:
    """Yield one name of each file that has more names than are here."""
    by_file: dict[tuple[int, int], list[Path]] = {}
    most: dict[tuple[int, int], int] = {}
    for path, state in files:
        identity = state.st_dev, state.st_ino
        by_file.setdefault(identity, []).append(path)
        most[identity] = state.st_nlink
    yield from (min(paths) for identity, paths in by_file.items() if len(paths) < most[identity])


def _leads_out(folder: Path, link: Path) -> bool:
    return not Path(os.path.realpath(link)).is_relative_to(os.path.realpath(folder))


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return "?"
