"""The temporary folder of one runner; those of runners that are gone are removed before the next is made."""

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
    """Make a temporary folder, hold it, and remove it in the end.

    The guardian removes it where the runner cannot. Only where both were killed at once is it left, for the
    next runner.

    Raises:
        OSError: there is no room for it.
    """
    remove_abandoned(Path(tempfile.gettempdir()))
    workspace = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{os.getpid()}-"))
    try:
        with locked(workspace / _LOCK):
            yield workspace
    finally:
        remove_tree(workspace)


def remove_abandoned(parent: Path) -> None:
    """Remove the workspaces of this user that no runner holds any more."""
    for workspace in parent.glob(f"{_PREFIX}-*-*"):
        if _is_abandoned(workspace):
            remove_tree(workspace)


def _is_abandoned(workspace: Path) -> bool:
    """Say whether its owner is gone: what is made just now has no lock yet, but an owner that lives."""
    maker = workspace.name.split("-")[1]
    try:
        is_ours = (
            workspace.is_dir() and workspace.lstat().st_uid == os.geteuid() and not workspace.is_symlink()
        )
        # a strategy can write into the lock's file, but no other's process id into the name
        if not is_ours or not maker.isdecimal() or _lives(int(maker)):
            return False
        with locked(workspace / _LOCK):
            return True
    except (LockedError, OSError):  # somebody is at work there, or another sweeps
        return False


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:  # another user's
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
