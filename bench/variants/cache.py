"""Keep trees and virtual environments of variants in a cache, by a hash of their content.

A folder gets the name of its entry when it is complete, so an entry is never half-made.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, Literal, TypeAlias

from bench.errors import LockedError, SetupError
from bench.model.text import one_line
from bench.storage.lock import locked

EntryKind: TypeAlias = Literal["trees", "envs"]

_UNFINISHED: Final = ".making-"
_LOCK: Final = "owner.lock"
_KEY_DIGITS: Final = 16


def cache_folder() -> Path:
    """Return ``$FLAGBENCH_CACHE``, or a folder in ``$XDG_CACHE_HOME`` or ``~/.cache``.

    Raises:
        SetupError: the folder cannot be part of an import path.
    """
    # the XDG specification has relative paths ignored
    xdg = Path(os.environ.get("XDG_CACHE_HOME", ""))
    default = (xdg if xdg.is_absolute() else Path.home() / ".cache") / "flagbench"
    folder = Path(os.environ.get("FLAGBENCH_CACHE") or default).absolute()
    if os.pathsep in str(folder):
        raise SetupError(
            f"the cache of variants cannot be in {one_line(str(folder))}: "
            f"{os.pathsep!r} separates the folders of an import path",
            hint="name another folder in FLAGBENCH_CACHE",
        )
    return folder


def entry_key(*content: object) -> str:
    """Return the name of an entry, by its content as JSON values.

    It is 16 hex digits of a hash.
    """
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:_KEY_DIGITS]


def get_or_create(kind: EntryKind, key: str, fill: Callable[[Path], None]) -> Path:
    """Return the folder of an entry; if it does not exist, have ``fill`` fill an empty one.

    Two processes may fill the same entry at once; the first one to finish wins. Unfinished folders of a
    process that was killed are removed when the next entry is made.

    Raises:
        SetupError: the cache cannot be written.
    """
    entry = cache_folder() / kind / key
    if entry.is_dir():
        return entry
    try:
        with _temporary_folder(entry.parent) as folder:
            content = folder / key
            content.mkdir()
            fill(content)
            _publish(content, entry)
    except OSError as error:
        raise SetupError(
            f"cannot write the cache of variants, {cache_folder()}: {error.strerror or error}",
            hint="free some disk space there, or name another folder in FLAGBENCH_CACHE",
        ) from error
    return entry


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make an empty folder in the cache, and remove it in the end.

    Raises:
        OSError: it cannot be made.
    """
    with _temporary_folder(cache_folder() / "scratch") as folder:
        content = folder / "scratch"  # beside the lock
        content.mkdir()
        yield content


def _publish(content: Path, entry: Path) -> None:
    """Give a complete folder the name of its entry, unless another process was faster."""
    try:
        content.rename(entry)
    except OSError:
        if not entry.is_dir():
            raise


@contextmanager
def _temporary_folder(parent: Path) -> Iterator[Path]:
    """Make a locked folder, and remove it in the end with everything that is still in it."""
    parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(parent)
    with ExitStack() as stack:
        yield _make_locked_folder(parent, stack)


def _make_locked_folder(parent: Path, stack: ExitStack) -> Path:
    """Make a folder and lock it; try again if another process removed it in between as abandoned."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_own_prefix(), dir=parent))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        with suppress(LockedError, FileNotFoundError):
            stack.enter_context(locked(folder / _LOCK))
            if folder.is_dir():
                return folder


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of killed processes; testing the lock of one of our own would release it."""
    for folder in parent.glob(f"{_UNFINISHED}*"):
        if not folder.name.startswith(_own_prefix()):
            with suppress(LockedError, OSError), locked(folder / _LOCK):
                shutil.rmtree(folder, ignore_errors=True)


def _own_prefix() -> str:
    return f"{_UNFINISHED}{os.getpid()}-"
