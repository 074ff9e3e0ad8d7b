"""Files that strategies must not change: written before trials, checked and restored after each.

A strategy runs as the same user, so its changes cannot be prevented: they are found and undone.
"""

import os
import shutil
import stat
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

_AUTHORITY: Final = "authority.pem"
_PIECE: Final = 1 << 20
"""Bytes of a large file that are in memory at once."""

Identity: TypeAlias = tuple[int, int]
"""The type of a file and its inode number: a file that replaces another has a different one."""


def remove_tree(path: Path) -> None:
    """Remove a file, a link, or a folder with its content, however its rights are set."""
    with suppress(OSError):
        if not path.is_dir() or path.is_symlink():
            path.unlink()
            return
        _restore_rights(path)
        shutil.rmtree(path, ignore_errors=True)


def _restore_rights(folder: Path) -> None:
    """Set the rights without which not even their owner can empty folders."""
    folder.chmod(0o700)
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            inner = Path(parent, name)
            if not inner.is_symlink():
                inner.chmod(0o700)


def write_reference(
    workspace: Path, flags: Mapping[str, bytes | memoryview], name: str = "reference"
) -> Path:
    """Write the flags that workers compare theirs with, and return their folder."""
    folder = workspace / name
    folder.mkdir()
    restore_reference(folder, flags)
    return folder


def restore_reference(folder: Path, flags: Mapping[str, bytes | memoryview]) -> tuple[str, ...]:
    """Restore the folder of the flags, and return the names that were changed."""
    if folder.is_symlink() or not folder.is_dir():
        remove_tree(folder)
        folder.mkdir()
    files = {f"{code.lower()}.gif": flag for code, flag in flags.items()}
    surplus = {path.name for path in folder.iterdir()} - files.keys()
    wrong = {name for name, flag in files.items() if not _holds(folder / name, flag)}
    for name in surplus | wrong:
        remove_tree(folder / name)
    for name in wrong:
        (folder / name).write_bytes(files[name])
    return tuple(f"{folder.name}/{name}" for name in sorted(surplus | wrong))


def write_authority(workspace: Path, pem: str) -> str | None:
    """Write the CA certificate of the current server, and return its path; ``None`` if it has none.

    A server that replaces a crashed one has another certificate.
    """
    if not pem:
        return None
    restore_authority(workspace, pem)
    return str(workspace / _AUTHORITY)


def restore_authority(workspace: Path, pem: str) -> tuple[str, ...]:
    """Restore the file of the CA certificate, and return its name if it was changed."""
    file, content = workspace / _AUTHORITY, pem.encode()
    if not content or _holds(file, content):
        return ()
    remove_tree(file)
    file.write_bytes(content)
    return (_AUTHORITY,)


def list_workspace(workspace: Path, own: Collection[str]) -> Mapping[str, Identity]:
    """Return the identity of each file and folder in a workspace, but for the ``own`` folders of trials."""
    return {path.name: _identity(path) for path in workspace.iterdir() if path.name not in own}


def restore_workspace(
    workspace: Path, before: Mapping[str, Identity], own: Collection[str]
) -> tuple[str, ...]:
    """Remove new files beside the ``own`` folders; return the names that were added, removed or replaced."""
    if workspace.is_symlink() or not workspace.is_dir():
        remove_tree(workspace)
        workspace.mkdir()
    workspace.chmod(0o700)
    now = list_workspace(workspace, own)
    changed = {name for name in now.keys() | before.keys() if now.get(name) != before.get(name)}
    for name in changed & now.keys():
        remove_tree(workspace / name)
    return tuple(sorted(changed))


def _holds(path: Path, content: bytes | memoryview) -> bool:
    """Return whether a path is a regular file with this content; a larger one is not even read."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size != len(content):
            return False
        with path.open("rb", buffering=0) as file:
            return all(
                file.read(_PIECE) == bytes(content[start : start + _PIECE])
                for start in range(0, len(content), _PIECE)
            )
    except OSError:
        return False


def _identity(path: Path) -> Identity:
    found = path.lstat()
    return stat.S_IFMT(found.st_mode), found.st_ino
