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

_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108  used like any temporary folder, with a name of our own
_MUCH_BYTES: Final = 1 << 30
_CHOICES: Final = frozenset({"TMPDIR", "TEMP", "TMP"})
"""Environment variables that name the folder for temporary files."""
_PREFIX: Final = "flagbench"
_LOCK: Final = "owner.lock"


@contextmanager
def fresh_workspace() -> Iterator[Path]:
    """Create a temporary folder, hold its lock, and remove it on leaving.

    The supervisor removes it if the runner is killed. If both are killed at once, the next runner does.

    Raises:
        OSError: there is no space for it.
    """
    parent = workspace_parent()
    for place in {Path(tempfile.gettempdir()), parent}:
        remove_abandoned(place)
    workspace = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{os.getpid()}-", dir=parent))
    try:
        with locked(workspace / _LOCK):
            yield workspace
    finally:
        remove_tree(workspace)


def workspace_parent() -> Path:
    """Return the folder for workspaces: in memory if there is much room, or else that for temporary files.

    A disk would be measured together with the downloads that are saved on it, and unevenly: where a file of
    the same name is replaced, ext4 waits a millisecond. ``TMPDIR`` takes precedence.

    Raises:
        OSError: there is no folder for temporary files.
    """
    usual = Path(tempfile.gettempdir())
    if not os.environ.keys().isdisjoint(_CHOICES):
        return usual
    try:
        room = os.statvfs(_IN_MEMORY)
    except OSError:
        return usual
    has_room = room.f_bavail * room.f_frsize >= _MUCH_BYTES
    return _IN_MEMORY if has_room and os.access(_IN_MEMORY, os.W_OK | os.X_OK) else usual


def is_in_memory(parent: Path) -> bool:
    """Tell whether workspaces in this folder are in memory for sure."""
    return parent == _IN_MEMORY


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
