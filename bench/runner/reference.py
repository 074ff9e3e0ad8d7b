"""What downloads are compared with: every flag byte for byte as the server has it, as files."""

from collections.abc import Mapping
from pathlib import Path


def lay_out_reference(workspace: Path, flags: Mapping[str, bytes]) -> Path:
    """Write the flags below a workspace and return their folder; workers read it, nobody may write it."""
    folder = workspace / "reference"
    folder.mkdir()
    restore_reference(folder, flags)
    return folder


def restore_reference(folder: Path, flags: Mapping[str, bytes]) -> tuple[str, ...]:
    """Put right what is not as it was laid out, and return the names of what was wrong."""
    folder.mkdir(exist_ok=True)
    wrong = tuple(name for name, flag in _files(flags) if not _holds(folder / name, flag))
    for name, flag in _files(flags):
        if name in wrong:
            (folder / name).unlink(missing_ok=True)
            (folder / name).write_bytes(flag)
    return wrong


def _files(flags: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    return [(f"{code.lower()}.gif", flag) for code, flag in flags.items()]


def _holds(path: Path, flag: bytes) -> bool:
    return path.is_file() and not path.is_symlink() and path.read_bytes() == flag
