"""What leads out of a trial's folder: links by which something outside of it was or could be changed."""

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path


def escapes(folder: Path, made: Iterable[Path]) -> Iterator[str]:
    """Name the links among what was made below a folder that lead out of it, as seen from there.

    A symbolic link leads where it points; a file leads out if it has more names than there are below the
    folder. The folder itself may have become a link, too.
    """
    if folder.is_symlink():
        yield f"{folder.name} -> {_target(folder)}"
        return
    names: Counter[tuple[int, int]] = Counter()
    files: dict[tuple[int, int], tuple[Path, int]] = {}
    for path in sorted(made):
        try:
            found = path.lstat()
        except OSError:  # it went while we looked
            continue
        if stat.S_ISLNK(found.st_mode) and not _leads_into(folder, path):
            yield f"{path.relative_to(folder)} -> {_target(path)}"
        if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            identity = found.st_dev, found.st_ino
            names[identity] += 1
            files[identity] = path, found.st_nlink
    for identity, (path, links) in files.items():
        if links > names[identity]:
            yield f"{path.relative_to(folder)} is the same file as one outside"


def _leads_into(folder: Path, link: Path) -> bool:
    return Path(os.path.realpath(link)).is_relative_to(os.path.realpath(folder))


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return "?"
