"""Putting what went wrong into one line, whatever a strategy may have put into its names and errors."""

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_NAMES: Final = 5
_LINE_CHARACTERS: Final = 300


def one_line(text: str) -> str:
    """Fold a text into one printable line of bounded length."""
    head = " ".join(text[: 4 * _LINE_CHARACTERS].split())
    line = "".join(character if character.isprintable() else "�" for character in head)
    return line if len(line) <= _LINE_CHARACTERS else line[: _LINE_CHARACTERS - 1] + "…"


def counted(names: Sequence[str], one: str, many: str) -> str:
    """Count names, and name the first few: ``2 files missing: br.gif, cn.gif``."""
    rest = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return one_line(f"{len(names)} {one if len(names) == 1 else many}: {', '.join(names[:_NAMES])}{rest}")


def described(error: BaseException, file: Path) -> str:
    """Name an error, what it says, and the line of ``file`` that led to it."""
    # format_exception_only copes with errors that cannot be printed; details and notes are indented or follow
    said = next(line for line in traceback.format_exception_only(error) if not line.startswith(" "))
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)
    ]
    return one_line(f"{said} ({file.name}:{lines[-1]})" if lines else said)
