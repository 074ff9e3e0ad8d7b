"""Keeping from the record who ran something: paths lead through a folder that bears the user's name."""

import re
from pathlib import Path


def without_home(text: str, home: Path) -> str:
    """Write ``~`` where a path in a text leads through the home folder."""
    if home == Path(home.anchor):
        return text
    return re.sub(rf"{re.escape(str(home))}(?![\w.-])", "~", text)
