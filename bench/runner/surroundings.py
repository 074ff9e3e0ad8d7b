"""What lies around the folder of a trial, and what its strategy changed of it.

Only the workspace of the run is looked at: what a strategy does elsewhere is between it and the system.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path


def surroundings(workspace: Path) -> frozenset[str]:
    """Return the names of what lies in a workspace."""
    return frozenset(path.name for path in workspace.iterdir())


def restore_surroundings(workspace: Path, before: frozenset[str], own: str) -> tuple[str, ...]:
    """Remove what was not there before a trial; name what came or went beside its own folder."""
    _reopen(workspace)
    now = surroundings(workspace) - {own}
    for name in now - before:
        remove(workspace / name)
    return tuple(sorted(now ^ before))


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it, however well it is protected."""
    with suppress(OSError):
        if not path.is_dir() or path.is_symlink():
            path.unlink()
            return
        _open_up(path)
        shutil.rmtree(path, ignore_errors=True)


def _reopen(workspace: Path) -> None:
    """See to it that the workspace is a folder of ours again."""
    if workspace.is_symlink() or not workspace.is_dir():
        remove(workspace)
        workspace.mkdir()
    workspace.chmod(0o700)


def _open_up(folder: Path) -> None:
    """Give back the rights without which not even their owner can remove what is in folders."""
    folder.chmod(0o700)
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            inner = Path(parent, name)
            if not inner.is_symlink():
                inner.chmod(0o700)
