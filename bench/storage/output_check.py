"""Check before anything is measured that output files and folders can be written.

A check tries what the write will do: permission bits alone do not tell, since root ignores them, and a
read-only disk and /proc ignore root. Missing folders are tried under a name of their own in the nearest
folder that exists, so that a check leaves nothing behind and disturbs no other process.
"""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import BenchError, SetupError, UsageError
from bench.storage.atomic_write import ELSEWHERE, draft_of, is_misnamed, write_remedy


def check_output_file(
    path: Path, option: str, *, makes_folder: bool = True, elsewhere: str = ELSEWHERE
) -> Path:
    """Check that a file can be written or replaced, and return its path with links followed.

    Args:
        path: the file; it need not exist.
        option: the option that names it, or what it is for, for the message.
        makes_folder: whether the later write makes a missing folder.
        elsewhere: how the user chooses another place.

    Raises:
        UsageError: it is no regular file, its name is impossible, or its folder is missing and not made.
        SetupError: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    folder = target.parent
    try:
        _check_kind(path, target, option)
        if not folder.exists() and not makes_folder:
            raise UsageError(f"{option}: there is no folder {folder}", hint="create it, or name another file")
        _try_folder(folder)
        _exists(draft_of(target))
        _check_owner(target)
    except OSError as error:
        raise _refusal(f"{option}: {path}", error, target, elsewhere) from error
    return target


def check_appended_file(path: Path, option: str) -> None:
    """Check that a file can be appended to; a pipe or a device is not opened.

    Raises:
        UsageError: it is a folder, or its folder is missing.
        SetupError: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        if not _exists(target):
            if not target.parent.exists():
                raise FileNotFoundError(errno.ENOENT, f"there is no folder {target.parent}")
            _try_file(target.parent)
        elif target.is_file() or target.is_dir() or target.is_symlink():  # a link here is one of a loop
            os.close(os.open(target, os.O_WRONLY | os.O_APPEND))
        elif not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _refusal(f"{option}: {path}", error, target) from error


def check_output_folder(folder: Path, option: str, *, elsewhere: str = ELSEWHERE) -> None:
    """Check that files can be written in a folder, which is made later if it is missing.

    Raises:
        UsageError: it is not a folder, or its name is impossible.
        SetupError: it cannot be made or written.
    """
    try:
        _try_folder(folder)
    except OSError as error:
        raise _refusal(f"{option}: {folder}", error, folder, elsewhere) from error


def _check_kind(path: Path, target: Path, option: str) -> None:
    """Refuse a folder, a device or a pipe, which a draft cannot replace."""
    if not _exists(target):
        return
    if target.is_dir():
        raise UsageError(f"{option}: {path} is not a file but a folder", hint="name a file in it")
    if not target.is_file():
        raise UsageError(f"{option}: {path} is not a file", hint="name a regular file")


def _check_owner(target: Path) -> None:
    """Refuse to replace a file of another user in a folder such as /tmp (sticky bit)."""
    folder, user = target.parent, os.geteuid()
    if not folder.exists() or not target.exists() or user == 0:
        return
    about = folder.stat()
    if about.st_mode & stat.S_ISVTX and user not in {about.st_uid, target.stat().st_uid}:
        raise FileExistsError(errno.EEXIST, "it belongs to another user")


def _try_folder(folder: Path) -> None:
    """Make a file in a folder, or a folder in the nearest one that exists, and remove it again."""
    if _exists(folder):
        _try_file(folder)
        return
    missing, nearest = [folder.name], folder.parent
    while not _exists(nearest):
        missing.append(nearest.name)
        nearest = nearest.parent
    for name in missing:
        _exists(nearest / name)  # a name that is too long
    with _named(nearest):
        Path(tempfile.mkdtemp(prefix=".flagbench-", dir=nearest)).rmdir()


def _try_file(folder: Path) -> None:
    with _named(folder), tempfile.TemporaryFile(prefix=".flagbench-", dir=folder):
        pass


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Name a folder such as /proc, which is there, but answers that the new file is not."""
    try:
        yield
    except FileNotFoundError as error:
        raise OSError(errno.ENOTSUP, f"no file can be made in {folder}") from error


def _exists(path: Path) -> bool:
    """Say whether there is such a path; a broken link is there.

    Raises:
        OSError: the path is impossible, such as one below a file, or may not be entered.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _refusal(subject: str, error: OSError, path: Path, elsewhere: str = ELSEWHERE) -> BenchError:
    kind = UsageError if is_misnamed(error) else SetupError
    what = f"{subject} cannot be written: {error.strerror or error}"
    return kind(what, hint=write_remedy(error, path, elsewhere))
