"""Write counts, lists, names and foreign messages as printable text on one line. Used by every room."""

import re
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bench.model.exception_groups import first_branch, iterate_leaves

_MAX_NAMES: Final = 5
_MAX_CHARACTERS: Final = 300
_REPLACEMENT: Final = chr(0xFFFD)
"""U+FFFD. Written by its name, it would make the compiler import ``unicodedata`` in every worker."""

BYTES_BY_UNIT: Final = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip


def size_text(size: float) -> str:
    """Write bytes as a config would, in the largest unit that needs no long fraction: ``2MiB``."""
    for unit in ("GiB", "GB", "MiB", "MB", "KiB", "kB"):
        if size >= BYTES_BY_UNIT[unit] and (size / BYTES_BY_UNIT[unit] * 100).is_integer():
            return f"{size / BYTES_BY_UNIT[unit]:g}{unit}"
    return f"{size:.0f}B" if float(size).is_integer() else f"{size:g}B"


def printable(text: str) -> str:
    """Replace each character that could move the cursor of a terminal or start a new line."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else _REPLACEMENT for sign in text)


def one_line(text: str, most: int = _MAX_CHARACTERS) -> str:
    """Fold a text into one printable line of at most 300 characters, or so many."""
    line = printable(" ".join(text[: 4 * _MAX_CHARACTERS].split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def redact_text(text: str, home: Path, most: int = _MAX_CHARACTERS) -> str:
    """Fold a text into one printable line, and replace the home folder, which names the user, by ``~``."""
    if home != Path(home.anchor):
        text = re.sub(rf"{re.escape(str(home))}(?![\w.-])", "~", text)
    return one_line(text, most)


def plural(count: int, noun: str) -> str:
    """Write a count with its noun: ``1 block``, ``12 blocks``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def join_and(words: Sequence[str]) -> str:
    """Join words for a sentence: ``elapsed, p99 and cpu``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def join_or(words: Iterable[str]) -> str:
    """Join alternatives for a sentence: ``local, delay or error``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def count_names(names: Sequence[str], one: str, many: str) -> str:
    """Count names and write the first five: ``2 files missing: br.gif, cn.gif``."""
    rest = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    listed = ", ".join(names[:_MAX_NAMES])
    return one_line(f"{len(names)} {one if len(names) == 1 else many}: {listed}{rest}")


def describe_error(error: BaseException, file: Path) -> str:
    """Write the type and message of an error, and the last line of ``file`` in its traceback.

    Of a group of exceptions, that is the first exception in it that is no group, and their number.
    """
    *groups, leaf = first_branch(error)
    # format_exception_only can print any error; its details are indented, and its notes follow
    message = next(line for line in traceback.format_exception_only(leaf) if not line.startswith(" "))
    # a library may have made the first exception: then the group shows where the strategy met it
    line = next((line for each in (leaf, *reversed(groups)) if (line := _last_line(each, file))), None)
    place = "" if line is None else f" ({file.name}:{line})"
    count = f", 1 of {sum(1 for _ in iterate_leaves(error)):,} in {_group_noun(groups[-1])}" if groups else ""
    room = _MAX_CHARACTERS - len(place) - len(count)
    return one_line(f"{one_line(message, max(1, room))}{place}{count}")


def _group_noun(group: BaseException) -> str:
    """Name the kind of a group of exceptions.

    Only the message says that asyncio or anyio made it for a task group.
    """
    return "a TaskGroup" if "TaskGroup" in str(getattr(group, "message", "")) else "an exception group"


def _last_line(error: BaseException, file: Path) -> int | None:
    """Return the last line of a file in the traceback of an error, or None."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == str(file)), None)
