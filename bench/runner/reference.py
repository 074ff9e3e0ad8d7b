"""The flags as the server serves them, as files that downloads are compared with."""

import stat
from collections.abc import Mapping
from pathlib import Path

from bench.runner.removal import remove


def lay_out_reference(workspace: Path, flags: Mapping[str, bytes]) -> Path:
    """Write the flags below a workspace and return their folder; workers read it, nobody may write it."""
    folder = workspace / "reference"
    folder.mkdir()
    restore_reference(folder, flags)
    return folder


def restore_reference(folder: Path, flags: Mapping[str, bytes]) -> tuple[str, ...]:
    """Put right what is not as it was laid out, and return the names of what was wrong."""
    if folder.is_symlink() or not folder.is_dir():
        remove(folder)
        folder.mkdir()
    files = {f"{code.lower()}.gif": flag for code, flag in flags.items()}
    surplus = {path.name for path in folder.iterdir()} - files.keys()
    wrong = {name for name, flag in files.items() if not _holds(folder / name, flag)}
    for name in surplus | wrong:
        remove(folder / name)
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
