"""Write and append to files so that a crash leaves none half-written.

The old content is left, or the new.
"""

import errno
import io
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from bench.errors import SetupError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_DENIED: Final = frozenset({errno.EACCES, errno.EPERM})
_UNSUITABLE: Final = frozenset({errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.ELOOP, errno.ENOTSUP})
ELSEWHERE: Final = "name another place"
_MISNAMED: Final = frozenset({errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP})


def write_atomically(path: Path, content: str | bytes, *, draft: Path | None = None) -> None:
    """Write ``content`` to ``path`` atomically and durably; text is written in UTF-8.

    A killed process may leave its draft next to the file, and the next writer overwrites it. Two processes
    that write at once need drafts of their own.
    """
    draft = draft or draft_of(path)
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


def replace_file(path: Path, content: str | bytes) -> None:
    """Write ``content`` to ``path`` as ``write_atomically`` does.

    Raises:
        SetupError: it cannot be written; it is as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        write_atomically(path, data)
    except OSError as error:
        raise write_error(path, error, len(data)) from error


def draft_of(path: Path) -> Path:
    """Return the file in which a new content is written before it replaces the old one."""
    return path.with_name(f".{path.name}.draft")


def append_durably(path: Path, file: io.FileIO, content: bytes) -> None:
    """Append all of ``content`` to an open file, or nothing of it.

    Raises:
        SetupError: it cannot be written; the file is as it was.
    """
    end = file.seek(0, os.SEEK_END)
    rest = memoryview(content)
    try:
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())
    except OSError as error:
        _take_back(path, file, end)
        raise write_error(path, error, len(content)) from error
    except BaseException:  # a signal; the caller has not been told that it was written
        _take_back(path, file, end)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable.

    The content of a file is not enough after a power cut.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_error(path: Path, error: OSError, needed_bytes: int, elsewhere: str = ELSEWHERE) -> SetupError:
    """Return the error that says why a file cannot be written, and how to make that possible."""
    what = f"cannot write {path}: {error.strerror or error}"
    if error.errno in _FULL:
        what += f": it needs {needed_bytes:,} bytes, {_free_space(path)}"
    return SetupError(what, hint=write_remedy(error, path, elsewhere))


def write_remedy(error: OSError, path: Path, elsewhere: str = ELSEWHERE) -> str:
    """Say how a file or folder can be written after all.

    Args:
        error: the reason why it cannot be written.
        path: the file or folder.
        elsewhere: how another place is chosen; it differs between options and defaults.
    """
    remedies = {
        **dict.fromkeys(_FULL, "free some space"),
        **dict.fromkeys(_DENIED, f"make {_nearest_folder(path)} writable, or {elsewhere}"),
        **dict.fromkeys(_UNSUITABLE, elsewhere),
        errno.ENOENT: f"create {path.parent}, or {elsewhere}",
        errno.EISDIR: "remove the folder, or name a file",
        errno.ENAMETOOLONG: "choose a shorter name",
    }
    return remedies.get(error.errno or 0, "check the disk")


def is_misnamed(error: OSError) -> bool:
    """Say whether a path is impossible for every user."""
    return error.errno in _MISNAMED


def _nearest_folder(path: Path) -> Path:
    """Return the nearest folder above a path that exists."""
    return next((folder for folder in path.parents if os.path.isdir(folder)), path.parent)  # noqa: PTH112  raises nothing


def _take_back(path: Path, file: io.FileIO, end: int) -> None:
    """Remove half a line, which would be damage if another one followed it."""
    try:
        file.truncate(end)
    except OSError as error:
        raise write_error(path, error, 0) from error


def _free_space(path: Path) -> str:
    try:
        system = os.statvfs(path.parent)
    except OSError:
        return "free space unknown"
    return f"{system.f_bavail * system.f_frsize:,} are free on its disk, regardless of quotas"
