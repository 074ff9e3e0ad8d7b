"""Read and replace the files in ``results`` that several commands share: history, noise, pinned reference."""

import os
from pathlib import Path
from typing import Final

from bench.errors import SetupError, UnreadableResultError
from bench.storage.atomic_write import write_atomically, write_remedy

ELSEWHERE: Final = "run the command in a writable folder"


def read_shared_file(path: Path) -> bytes | None:
    """Read a file; return None if there is none.

    Raises:
        UnreadableResultError: the file cannot be read; the message has its path.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableResultError(f"{path}: {error.strerror}") from error


def replace_shared_file(path: Path, text: str, purpose: str) -> None:
    """Replace a file that several processes may write at once, and make its folder.

    Args:
        path: the file.
        text: its new content.
        purpose: the aim of writing, for the message, such as ``keep the noise in``.

    Raises:
        SetupError: the file cannot be written; it is as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text, draft=path.with_name(f".{path.name}.{os.getpid()}"))
    except OSError as error:
        raise unwritable_file_error(path, error, purpose) from error


def unwritable_file_error(path: Path, error: OSError, purpose: str) -> SetupError:
    """Return the error for a file that cannot be written; ``purpose`` as in ``replace_shared_file``."""
    return SetupError(f"cannot {purpose} {path}: {error.strerror}", hint=write_remedy(error, path, ELSEWHERE))
