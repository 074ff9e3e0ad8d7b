"""What lies around the folder of a trial, and what its strategy changed of it.

Only the workspace of the run is looked at: what a strategy does elsewhere is between it and the system.
"""

import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeAlias

from bench.runner.removal import remove

Identity: TypeAlias = tuple[int, int]
"""The kind of a file, and its number within its file system: another in its place has another."""


def surroundings(workspace: Path) -> Mapping[str, Identity]:
    """Return the names of what lies in a workspace, and what is there by that name."""
    return {path.name: _identity(path) for path in workspace.iterdir()}


def restore_surroundings(
    workspace: Path, before: Mapping[str, Identity], own: Collection[str]
) -> tuple[str, ...]:
    """Remove what was not there before; name what came, went or was replaced beside the ``own`` folders."""
    _reopen(workspace)
    now = {name: identity for name, identity in surroundings(workspace).items() if name not in own}
    changed = {name for name in now.keys() | before.keys() if now.get(name) != before.get(name)}
    for name in changed & now.keys():
        remove(workspace / name)
    return tuple(sorted(changed))


def _identity(path: Path) -> Identity:
    found = path.lstat()
    return stat.S_IFMT(found.st_mode), found.st_ino


def _reopen(workspace: Path) -> None:
    """See to it that the workspace is a folder of ours again."""
    if workspace.is_symlink() or not workspace.is_dir():
        remove(workspace)
        workspace.mkdir()
    workspace.chmod(0o700)
