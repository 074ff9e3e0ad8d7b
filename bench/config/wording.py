"""How a message quotes what a file says, and what it suggests instead."""

from collections.abc import Iterable
from difflib import get_close_matches
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


def one_line(text: str) -> str:
    """Return a foreign message as one printable line."""
    joined = " ".join(text.split())
    return joined if joined.isprintable() else ascii(joined)
