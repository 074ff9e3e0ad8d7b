"""The control groups of this process, such as a container's, and what their files say (cgroups(7)).

A container sees its own group as the root of all; on a bare machine that root has no limits.
"""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

GROUPS: Final = Path("sys/fs/cgroup")


def groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's group and of those above, below the root, by either version."""
    for line in filter(None, _lines(root / "proc/self/cgroup")):
        _, controllers, group = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            base = GROUPS / (controller if controllers else "")
            path = PurePosixPath(group)
            for each in (path, *path.parents):
                yield base / each.relative_to("/")


def words(file: Path) -> list[str]:
    """Return the words of a file; none if it cannot be read."""
    return [word for line in _lines(file) for word in line.split()]


def shown(file: Path) -> str:
    """Write the path of a file below the root; whoever names groups may use bytes that are no text."""
    return os.fsencode(f"/{file}").decode("utf-8", "replace")


def _lines(file: Path) -> list[str]:
    try:
        return os.fsdecode(file.read_bytes()).split("\n")
    except OSError:
        return []
