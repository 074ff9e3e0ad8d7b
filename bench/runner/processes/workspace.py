"""The temporary folder of one runner. A new runner first removes the folders of those that were killed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.errors import LockedError
from bench.runner.protected_files import remove_tree
from bench.storage.lock import locked

_PREFIX: Final = "flagbench"
_LOCK: Final = "owner.lock"


@contextmanager
def fresh_workspace() -> Iterator[Path]:
    """Create a temporary folder, hold its lock, and remove it on leaving.

    The supervisor removes it if the runner is killed. If both are killed at once, the next runner does.

    Raises:
        OSError: there is no space for it.
    """
    remove_abandoned(Path(tempfile.gettempdir()))
    workspace = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{os.getpid()}-"))
    try:
        with locked(workspace / _LOCK):
            yield workspace
    finally:
        remove_tree(workspace)


def remove_abandoned(parent: Path) -> None:
    """Remove the workspaces of this user whose runner is gone."""
    for workspace in parent.glob(f"{_PREFIX}-*-*"):
        if _is_abandoned(workspace):
            remove_tree(workspace)


def _is_abandoned(workspace: Path) -> bool:
    """Tell whether the owner is gone; a new workspace has no lock yet, but its owner is alive."""
    owner = workspace.name.split("-")[1]
    try:
        is_ours = (
            workspace.is_dir() and workspace.lstat().st_uid == os.geteuid() and not workspace.is_symlink()
        )
        # a strategy can write into the lock file, but cannot change the process id in the name
        if not is_ours or not owner.isdecimal() or _is_alive(int(owner)):
            return False
        with locked(workspace / _LOCK):
            return True
    except (LockedError, OSError):  # in use, or another runner removes it
        return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:  # another user's
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
