"""Quote text from a config in messages, and suggest the nearest known word."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_SHOWN: Final = 60


_LONGEST_TYPO: Final = 40


def quote_text(text: str) -> str:
    """Quote hostile text in at most 62 ASCII characters: no escape, override or lookalike gets through."""
    quoted = ascii(text[: _SHOWN + 1])
    return quoted if len(quoted) <= _SHOWN + 2 else f"{quoted[: _SHOWN - 2]}...{quoted[0]}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest known word, or an empty string."""
    if len(word) > _LONGEST_TYPO:
        return ""
    by_lower_case = {name.lower(): name for name in known}
    matches = get_close_matches(word.lower(), by_lower_case, n=1)
    return f"; did you mean '{by_lower_case[matches[0]]}'?" if matches else ""
