"""The signs of Markdown, and how to keep it from finding others in what a run says."""

import re
from collections.abc import Sequence
from typing import Final

from bench.model.text import printable

_SIGN: Final = re.compile(r"[\\`*<>|\[\]&~]|(?<![^\W_])_|_(?![^\W_])")
"""Of emphasis, code, HTML, entities, links, images and tables; not the underscore within a word."""
_START: Final = re.compile(r"^(\d+(?=[.)])|(?=[#+=-]))")
"""Of headings, rules and lists."""


def escape_cell(cells: Sequence[str]) -> str:
    """Write one row of a table."""
    return f"| {' | '.join(cells)} |"


def escape_text(text: str) -> str:
    """Keep Markdown from reading marks and names as its own, and a line from ending early."""
    return _SIGN.sub(r"\\\g<0>", printable(text))


def paragraph(text: str) -> str:
    """Write what begins a line, which is no heading and no list whatever it begins with."""
    return _START.sub(r"\1\\", escape_text(text.lstrip()))
