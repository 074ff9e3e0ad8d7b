"""The flags as the server serves them, as files that downloads are compared with."""

from collections.abc import Mapping
from pathlib import Path

from bench.runner.surroundings import remove


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


def _holds(path: Path, flag: bytes) -> bool:
    try:
        return not path.is_symlink() and path.is_file() and path.read_bytes() == flag
    except OSError:
        return False
