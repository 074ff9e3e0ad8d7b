"""Folders that are made once and kept by their content: under their last name they are whole."""

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

Kind: TypeAlias = Literal["trees", "envs"]

_MAKING: Final = ".making-"
_LOCK: Final = "owner.lock"
_KEY_DIGITS: Final = 16


def root() -> Path:
    """Return the folder of the cache: ``$FLAGBENCH_CACHE``, or in ``$XDG_CACHE_HOME`` or ``~/.cache``.

    Raises:
        EnvironmentFault: no import path can hold it.
    """
    # the XDG specification has relative ones ignored
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    usual = (base if base.is_absolute() else Path.home() / ".cache") / "flagbench"
    found = Path(os.environ.get("FLAGBENCH_CACHE") or usual).absolute()
    if os.pathsep in str(found):
        raise SetupError(
            f"the cache of variants cannot lie in {one_line(str(found))}: {os.pathsep!r} ends a folder there",
            hint="name another one in FLAGBENCH_CACHE",
        )
    return found


def key_of(*content: object) -> str:
    """Return the name of an entry: 16 hex digits that depend on all of its content, ready for JSON."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:_KEY_DIGITS]


def get_or_create(kind: Kind, key: str, fill: Callable[[Path], None]) -> Path:
    """Return an entry's folder; if it is not there yet, ``fill`` an empty one that then becomes it.

    Two processes may fill the same entry at once: the first one to finish wins. What a process that was
    killed leaves half-made never has the name of an entry, and is removed when the next one is made.

    Raises:
        EnvironmentFault: the cache cannot be written.
    """
    entry = root() / kind / key
    if entry.is_dir():
        return entry
    try:
        with _fresh(entry.parent) as folder:
            content = folder / key
            content.mkdir()
            fill(content)
            _publish(content, entry)
    except OSError as error:
        raise SetupError(
            f"cannot write the cache of variants, {root()}: {error.strerror or error}",
            hint="make room there, or name another folder in FLAGBENCH_CACHE",
        ) from error
    return entry


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a folder of the cache that is empty, and removed in the end.

    Raises:
        OSError: it cannot be made.
    """
    with _fresh(root() / "scratch") as folder:
        inside = folder / "scratch"
        inside.mkdir()
        yield inside


def _publish(content: Path, entry: Path) -> None:
    """Give a finished folder its name, unless another process has been quicker."""
    try:
        content.rename(entry)
    except OSError:
        if not entry.is_dir():
            raise


@contextmanager
def _fresh(parent: Path) -> Iterator[Path]:
    """Make a folder, hold its lock, and remove it in the end with whatever is still in it."""
    parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(parent)
    with ExitStack() as stack:
        yield _held(parent, stack)


def _held(parent: Path, stack: ExitStack) -> Path:
    """Make a folder and take its lock, before one that sweeps finds it without."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_mine(), dir=parent))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        with suppress(LockedError, FileNotFoundError):
            stack.enter_context(locked(folder / _LOCK))
            if folder.is_dir():
                return folder


def _remove_abandoned(parent: Path) -> None:
    """Remove what killed processes have left; to look at a lock of our own would be to lose it."""
    for folder in parent.glob(f"{_MAKING}*"):
        if not folder.name.startswith(_mine()):
            with suppress(LockedError, OSError), locked(folder / _LOCK):
                shutil.rmtree(folder, ignore_errors=True)


def _mine() -> str:
    return f"{_MAKING}{os.getpid()}-"
