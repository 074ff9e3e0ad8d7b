"""What is kept of words that a strategy may have had a hand in: one line, and not who ran it."""

import re
from pathlib import Path

from bench.model.text import one_line


def redact_text(text: str, home: Path) -> str:
    """Return one printable line in which no path leads through the home folder, which bears a user's name."""
    return one_line(without_home(text, home))


def without_home(text: str, home: Path) -> str:
    """Write ``~`` where a path in a text leads through the home folder."""
    if home == Path(home.anchor):
        return text
    return re.sub(rf"{re.escape(str(home))}(?![\w.-])", "~", text)
