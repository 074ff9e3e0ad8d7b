"""Lock a folder with a file that holds the id of its owner. Used by run folders, the history and caches.

The lock is a POSIX record lock (``lockf``): a forked child does not have it, and the system releases it when
its owner ends, however that came. It is also released when its owner closes *any* descriptor of the file;
therefore the lock is a file of its own that nothing else opens.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bench.errors import LockedError

_OPEN: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_HINT: Final = "wait for it, or name another folder with --out"
_OWNER_WAIT_S: Final = 0.5
"""An owner may take so long from having the lock to having written its id."""


@contextmanager
def locked(path: Path, *, wait_s: float = 0.0, hint: str = _HINT) -> Iterator[None]:
    """Hold the lock at ``path`` and remove its file at the end; a file without an owner is no obstacle.

    Raises:
        LockedError: another process still holds it after ``wait_s``; the message has its id.
        OSError: the file cannot be opened, or its file system has no locks.
    """
    descriptor = _acquire(path, wait_s, hint)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        with suppress(OSError):  # gone with its folder, or on a disk that has become read-only
            path.unlink()
        os.close(descriptor)


def owner(path: Path) -> int | None:
    """Return the process id in a lock's file, or None.

    Do not call it for a lock of this process: reading the file would release the lock.
    """
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return int(text) if text.strip().isdecimal() else None


def _acquire(path: Path, wait_s: float, hint: str) -> int:
    deadline_s = time.monotonic() + wait_s
    while True:
        descriptor = os.open(path, _OPEN, 0o644)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                return descriptor
        except (BlockingIOError, PermissionError) as error:
            os.close(descriptor)
            if time.monotonic() >= deadline_s:
                what = f"{path.parent} is in use by {_describe_owner(path)}"
                raise LockedError(what, hint=hint) from error
            time.sleep(0.02)
            continue
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its last owner removed the file while we opened it


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _describe_owner(path: Path) -> str:
    deadline_s = time.monotonic() + _OWNER_WAIT_S
    while (pid := owner(path)) is None and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return "another process" if pid is None else f"process {pid}"
