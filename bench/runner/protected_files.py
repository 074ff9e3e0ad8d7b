"""Removing what strategies left behind, however well they protected it."""

import os
import shutil
import stat
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias


def remove_tree(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it, however well it is protected."""
    with suppress(OSError):
        if not path.is_dir() or path.is_symlink():
            path.unlink()
            return
        _open_up(path)
        shutil.rmtree(path, ignore_errors=True)


def _open_up(folder: Path) -> None:
    """Give back the rights without which not even their owner can remove what is in folders."""
    folder.chmod(0o700)
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            inner = Path(parent, name)
            if not inner.is_symlink():
                inner.chmod(0o700)


def lay_out_reference(workspace: Path, flags: Mapping[str, bytes]) -> Path:
    """Write the flags below a workspace and return their folder; workers read it, nobody may write it."""
    folder = workspace / "reference"
    folder.mkdir()
    restore_reference(folder, flags)
    return folder


def restore_reference(folder: Path, flags: Mapping[str, bytes]) -> tuple[str, ...]:
    """Put right what is not as it was laid out, and return the names of what was wrong."""
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


def content_of(path: Path, size_bytes: int) -> bytes | None:
    """Read a file of this size; ``None`` for anything else, which may be a link, or too large to be read."""
    try:
        found = path.lstat()
        is_such = stat.S_ISREG(found.st_mode) and found.st_size == size_bytes
        return path.read_bytes() if is_such else None
    except OSError:
        return None


def _holds(path: Path, flag: bytes) -> bool:
    return content_of(path, len(flag)) == flag


_NAME = "authority.pem"


def lay_out_authority(workspace: Path, pem: str) -> str | None:
    """Write the authority of the server on duty where workers can read it; ``None`` if it has none.

    It is written once, and anew for a server that has taken over from another one.
    """
    if not pem:
        return None
    restore_authority(workspace, pem)
    return str(workspace / _NAME)


def restore_authority(workspace: Path, pem: str) -> tuple[str, ...]:
    """Put right what is not as it was laid out, if anything was, and return the name of what was wrong."""
    file, content = workspace / _NAME, pem.encode()
    if not content or content_of(file, len(content)) == content:
        return ()
    remove_tree(file)
    file.write_bytes(content)
    return (_NAME,)


Identity: TypeAlias = tuple[int, int]
"""The kind of a file, and its number within its file system: another in its place has another."""


def surroundings(workspace: Path) -> Mapping[str, Identity]:
    """Return the names of what lies in a workspace, and what is there by that name."""
    return {path.name: _identity(path) for path in workspace.iterdir()}


def restore_surroundings(
    workspace: Path, before: Mapping[str, Identity], own: Collection[str]
) -> tuple[str, ...]:
    """Remove what was not there before; name what came, went or was replaced beside the ``own`` folders."""
    _reopen(workspace)
    now = {name: identity for name, identity in surroundings(workspace).items() if name not in own}
    changed = {name for name in now.keys() | before.keys() if now.get(name) != before.get(name)}
    for name in changed & now.keys():
        remove_tree(workspace / name)
    return tuple(sorted(changed))


def _identity(path: Path) -> Identity:
    found = path.lstat()
    return stat.S_IFMT(found.st_mode), found.st_ino


def _reopen(workspace: Path) -> None:
    """See to it that the workspace is a folder of ours again."""
    if workspace.is_symlink() or not workspace.is_dir():
        remove_tree(workspace)
        workspace.mkdir()
    workspace.chmod(0o700)
