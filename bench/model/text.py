"""How a message quotes what a file says, and what it suggests instead."""

import traceback
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

_SHOWN: Final = 60
_LONGEST_TYPO: Final = 40


def shown(text: str) -> str:
    """Quote hostile text in at most 62 ASCII characters: no escape, override or lookalike gets through."""
    quoted = ascii(text[: _SHOWN + 1])
    return quoted if len(quoted) <= _SHOWN + 2 else f"{quoted[: _SHOWN - 2]}...{quoted[0]}"


def near(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest known word, or an empty string."""
    if len(word) > _LONGEST_TYPO:
        return ""
    by_lower_case = {name.lower(): name for name in known}
    matches = get_close_matches(word.lower(), by_lower_case, n=1)
    return f"; did you mean '{by_lower_case[matches[0]]}'?" if matches else ""


def listing(words: Iterable[str]) -> str:
    """Join alternatives for a sentence: ``local, delay or error``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def shorten_line(text: str) -> str:
    """Return a foreign message as one printable line."""
    joined = " ".join(text.split())
    return joined if joined.isprintable() else ascii(joined)


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


def describe_error(error: BaseException, file: Path) -> str:
    """Name an error, what it says, and the line of ``file`` that led to it."""
    # format_exception_only copes with errors that cannot be printed; details and notes are indented or follow
    said = next(line for line in traceback.format_exception_only(error) if not line.startswith(" "))
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)
    ]
    return one_line(f"{said} ({file.name}:{lines[-1]})" if lines else said)
