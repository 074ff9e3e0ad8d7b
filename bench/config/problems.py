"""Word the problems of a config: a line each, with line, column and key.

Every module here uses it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final, TypeAlias

from bench.errors import ConfigError

Step: TypeAlias = str | int
Steps: TypeAlias = tuple[Step, ...]
"""A path into the config: keys, and indices of list items."""

MOST_PROBLEMS: Final = 50
"""Problems of a config that are shown."""
_LONGEST_PATH: Final = 1024
_LONGEST_KEY: Final = 40
_ALIKE: Final = 0.599
"""Least likeness of a suggestion, 0 to 1; `difflib` suggests from 0.6 on."""
_LONGEST_TYPO: Final = 40
_LONGEST_QUOTE: Final = 60


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A position in the file; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in the config: its position, the path of the key, and the message."""

    mark: Mark
    steps: Steps
    what: str


def config_error(file: Path, problems: Iterable[Problem]) -> ConfigError:
    """Return an error with a line per problem, in the order of the file.

    Each line reads ``path:line:column key.path: message``. After 50 lines the rest is counted.
    """
    by_place: dict[tuple[Mark, Steps], Problem] = {}
    for problem in problems:
        by_place.setdefault((problem.mark, problem.steps), problem)
    ordered = sorted(by_place.values(), key=lambda problem: problem.mark)
    lines = [_line(file, problem) for problem in ordered[:MOST_PROBLEMS]]
    if len(ordered) > MOST_PROBLEMS:
        lines.append(f"{quote_path(file)}: {len(ordered) - MOST_PROBLEMS:,} more problems")
    return ConfigError(tuple(lines))


def _line(file: Path, problem: Problem) -> str:
    where = f"{quote_path(file)}:{problem.mark.line}:{problem.mark.column}"
    key = key_path(problem.steps)
    return f"{where} {key}: {problem.what}" if key else f"{where}: {problem.what}"


def key_path(steps: Steps) -> str:
    """Write a path as people do: ``strategies[2].name``."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{_quote_key(step)}" for step in steps)
    return "".join(parts).removeprefix(".")


def _quote_key(key: str) -> str:
    is_plain = key.isascii() and key.isidentifier() and len(key) <= _LONGEST_KEY
    return key if is_plain else quote_text(key)


def quote_path(file: Path) -> str:
    """Return a path, in quotes if it is very long or not printable."""
    text = str(file)
    return text if text.isprintable() and len(text) <= _LONGEST_PATH else quote_text(text)


def quote_text(text: str) -> str:
    """Quote hostile text in at most 62 ASCII characters: no escape, override or lookalike gets through."""
    quoted = ascii(text[: _LONGEST_QUOTE + 1])
    is_short = len(quoted) <= _LONGEST_QUOTE + 2
    return quoted if is_short else f"{quoted[: _LONGEST_QUOTE - 2]}...{quoted[0]}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest known word, or an empty string."""
    if len(word) > _LONGEST_TYPO:
        return ""
    nearest, best = None, _ALIKE
    matcher = SequenceMatcher(b=word.lower())
    # words of like length first: the bounds of the others, which are cheap, then mostly rule them out
    for name in sorted(known, key=lambda name: abs(len(name) - len(word))):
        matcher.set_seq1(name.lower())
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best and matcher.ratio() > best:
            nearest, best = name, matcher.ratio()
    return "" if nearest is None else f"; did you mean '{nearest}'?"


def unknown_word(noun: str, word: str, known: Iterable[str], hint: str = "") -> str:
    """Return a message about an unknown word, with the nearest known word or else the hint."""
    return f"unknown {noun} {quote_text(word)}{did_you_mean(word, known) or hint}"
