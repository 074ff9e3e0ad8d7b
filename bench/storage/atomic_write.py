"""Writing files so that a reader finds the old content or the new, never half of it."""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from bench.errors import SetupError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def write_atomically(path: Path, content: str | bytes, *, draft: Path | None = None) -> None:
    """Write ``content`` to ``path`` atomically and durably: a crash leaves the old file or the new one.

    A text is written in UTF-8. A killed process may leave a draft beside it, which the next one writes over;
    two that write at once need drafts of their own.
    """
    draft = draft or path.with_name(f".{path.name}.draft")
    try:
        with draft.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; the content of a file is not enough after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_error(path: Path, error: OSError, needed_bytes: int) -> SetupError:
    """Say why a file cannot be written: what it takes, and what there is."""
    what = f"cannot write {path}: {error.strerror or error}"
    if error.errno in _FULL:
        return SetupError(f"{what}: it takes {needed_bytes:,} bytes, {_free(path)}", hint="make room")
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return SetupError(what, hint="it takes a folder that can be written; name one with --out")
    return SetupError(what, hint="look at the disk")


def _free(path: Path) -> str:
    try:
        system = os.statvfs(path.parent)
    except OSError:
        return "and nobody knows what is free"
    return f"{system.f_bavail * system.f_frsize:,} are free on its disk, a quota aside"
