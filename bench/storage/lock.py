"""A file that one process holds for as long as it lives, with its id inside.

The lock is a POSIX record lock (``lockf``): a child that was forked does not have it, and the system lets go
of it when its owner is gone, however that came. It also lets go when its owner closes *any* descriptor of
the file, hence a file of its own that nothing else opens.
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
_PATIENCE_S: Final = 0.5
"""What an owner may take from having the lock to having written its id."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock at ``path`` and remove its file in the end; a file that nobody holds is no obstacle.

    Raises:
        LockedError: another process holds it; the message has its id.
        OSError: the file cannot be had, or the file system knows no locks.
    """
    descriptor = _acquired(path)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        with suppress(OSError):  # gone with its folder, or on a disk that has become read-only
            path.unlink()
        os.close(descriptor)


def owner(path: Path) -> int | None:
    """Return the id that a lock's file holds; ``None`` if it holds none.

    Not for a lock of this process, which would lose it.
    """
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return int(text) if text.strip().isdecimal() else None


def _acquired(path: Path) -> int:
    while True:
        descriptor = os.open(path, _OPEN, 0o644)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                return descriptor
        except (BlockingIOError, PermissionError) as error:
            os.close(descriptor)
            raise LockedError(
                f"{path.parent} is in use by {_owner_words(path)}",
                hint="wait for it, or name another folder with --out",
            ) from error
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its last owner has removed it while we waited for nothing


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _owner_words(path: Path) -> str:
    deadline_s = time.monotonic() + _PATIENCE_S
    while (pid := owner(path)) is None and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return "another process" if pid is None else f"process {pid}"
