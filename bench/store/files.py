"""Writing files so that a reader finds the old content or the new, never half of it."""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from bench.errors import EnvironmentFault

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def replace(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` atomically and durably: a crash leaves the old file or the new one."""
    draft = path.with_name(f"{_drafts_of(path)}{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    sync_folder(path.parent)


def remove_drafts(path: Path) -> None:
    """Remove what processes that were killed while they replaced ``path`` have left beside it."""
    for draft in path.parent.glob(f"{_drafts_of(path)}*"):
        with suppress(OSError):
            draft.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; the content of a file is not enough after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unwritable(path: Path, error: OSError, needed_bytes: int) -> EnvironmentFault:
    """Say why a file cannot be written: what it takes, and what there is."""
    what = f"cannot write {path}: {error.strerror or error}"
    if error.errno in _FULL:
        return EnvironmentFault(f"{what}: it takes {needed_bytes:,} bytes, {_free(path)}", hint="make room")
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return EnvironmentFault(what, hint="it takes a folder that can be written; name one with --out")
    return EnvironmentFault(what, hint="look at the disk")


def _free(path: Path) -> str:
    try:
        system = os.statvfs(path.parent)
    except OSError:
        return "and nobody knows what is free"
    return f"{system.f_bavail * system.f_frsize:,} are free on its disk, a quota aside"


def _drafts_of(path: Path) -> str:
    return f".{path.name}."
