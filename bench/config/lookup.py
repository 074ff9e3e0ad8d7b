"""Look up the strategies, clients and files that a config names."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final, TypeVar

from bench.config.catalog import choose_option
from bench.config.problems import MOST_PROBLEMS, quote_text, unknown_word
from bench.config.source_code import CodeReference, find_module, parse_reference
from bench.errors import BenchError
from bench.model.cases import Client, Strategy
from bench.model.text import one_line

T = TypeVar("T")

MODULE_STEM: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def _find_nothing(_name: str) -> None:
    """Find nothing: no installed package is looked at."""


@dataclass(frozen=True, slots=True)
class LookupContext:
    """The strategies, clients and files that a config can name.

    Attributes:
        read_strategy: describes a strategy file, or a function of it, without importing it; raises
            ``BenchError``.
        read_client: describes a function that downloads one URL in the same way.
        folder: that of the config, to which its paths are relative.
        find_strategy: finds a strategy of an installed package by its name; returns None if there is none,
            and raises ``BenchError`` if it cannot be used.
        find_client: finds a client in the same way.
    """

    strategies: Mapping[str, Strategy]
    clients: Mapping[str, Client]
    read_strategy: Callable[..., Strategy]
    read_client: Callable[..., Client]
    folder: Path
    find_strategy: Callable[[str], Strategy | None] = _find_nothing
    find_client: Callable[[str], Client | None] = _find_nothing
    _unknown: Iterator[int] = field(default_factory=count, repr=False, compare=False)
    """Counts the unknown names."""

    def strategy(self, text: str) -> Strategy:
        """Return a strategy by its name, or by a reference to code: a file, or a function of a module.

        An option may follow: ``processpool_map+spawn``, ``mine.py+uvloop``.
        """
        plain, _, option = text.rpartition("+")
        if plain and option.isidentifier():
            return choose_option(self.strategy(plain), option)
        if (code := parse_reference(text)) is not None:
            return self._read_code(code, self.read_strategy, self.strategies)
        return self._named(text, self.strategies, self.find_strategy, "strategy")

    def client(self, text: str) -> Client:
        """Return a client by its name, or by a reference to a function that downloads one URL."""
        if (code := parse_reference(text)) is not None:
            return self._read_code(code, self.read_client, self.strategies)
        return self._named(text, self.clients, self.find_client, "client")

    def existing_folder(self, text: str) -> Path:
        """Return the path of a folder relative to the config."""
        return self._existing(text, Path.is_dir, "folder")

    def existing_file(self, text: str) -> Path:
        """Return the path of a file relative to the config."""
        return self._existing(text, Path.is_file, "file")

    def _named(self, text: str, shipped: Mapping[str, T], find: Callable[[str], T | None], noun: str) -> T:
        """Return what is shipped under a name, or else provided by an installed package."""
        if text in shipped:
            return shipped[text]
        try:
            found = find(text)
        except BenchError as error:
            raise ValueError(one_line(str(error))) from error
        if found is None:
            raise ValueError(self._unknown_name(noun, text, shipped))
        return found

    def _unknown_name(self, noun: str, text: str, known: Collection[str]) -> str:
        """Describe an unknown name; beyond the problems that are shown, no like name is searched for."""
        return unknown_word(noun, text, known if next(self._unknown) < MOST_PROBLEMS else ())

    def _read_code(self, code: CodeReference, read: Callable[..., T], taken: Collection[str]) -> T:
        """Describe code of the user's; the names of shipped strategies are taken for files."""
        try:
            if code.module:
                return read(find_module(code.module, self.folder), code.function, code.module)
            stem = Path(code.path).stem
            if not MODULE_STEM.fullmatch(stem):
                raise ValueError(
                    f"a strategy file must be named like a Python module, not {quote_text(code.path)}"
                )
            if stem in taken:
                raise ValueError(
                    f"{quote_text(code.path)} has the name of a shipped strategy; rename the file"
                )
            file = self.existing_file(code.path)
            return read(file, code.function) if code.function else read(file)
        except (BenchError, OSError) as error:
            raise ValueError(one_line(str(error))) from error

    def _existing(self, text: str, exists: Callable[[Path], bool], kind: str) -> Path:
        path = self.folder / text
        try:
            if text.isprintable() and exists(path):
                return path
        except OSError as error:  # a name too long, a folder that may not be entered
            raise ValueError(f"the {kind} {quote_text(text)} cannot be read: {error.strerror}") from error
        raise ValueError(f"no such {kind} {quote_text(text)}; paths are relative to the config's folder")
