"""The signs of Markdown's tables, and how to keep it from finding others."""

from collections.abc import Sequence


def piped(cells: Sequence[str]) -> str:
    """Write one row of a table."""
    return f"| {' | '.join(cells)} |"


def plain(text: str) -> str:
    """Keep Markdown from reading marks and names as its own."""
    for sign in "\\`*<>|[]":
        text = text.replace(sign, f"\\{sign}")
    return text
