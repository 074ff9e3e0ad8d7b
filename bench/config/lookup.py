"""What a config may name: the strategies and clients at hand, and files beside the config."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.config.quoting import did_you_mean, quote_text
from bench.errors import BenchError
from bench.model.cases import Client, Strategy
from bench.model.text import one_line

_STEM: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class LookupContext:
    """What the names of a config are looked up in.

    Attributes:
        read_strategy: what describes a strategy file without importing it; raises ``BenchError``.
        folder: the config's own, from which its paths are counted.
    """

    strategies: Mapping[str, Strategy]
    clients: Mapping[str, Client]
    read_strategy: Callable[[Path], Strategy]
    folder: Path

    def strategy(self, text: str) -> Strategy:
        """Return a strategy by its name, or by its file where the text ends in ``.py``."""
        if text.endswith(".py"):
            return self._strategy_of_file(text)
        if text not in self.strategies:
            raise ValueError(f"unknown strategy {quote_text(text)}{did_you_mean(text, self.strategies)}")
        return self.strategies[text]

    def client(self, text: str) -> Client:
        """Return a client by its name."""
        if text not in self.clients:
            raise ValueError(f"unknown client {quote_text(text)}{did_you_mean(text, self.clients)}")
        return self.clients[text]

    def existing_folder(self, text: str) -> Path:
        """Return a folder, counted from the config's own."""
        return self._existing(text, Path.is_dir, "folder")

    def existing_file(self, text: str) -> Path:
        """Return a file, counted from the config's own folder."""
        return self._existing(text, Path.is_file, "file")

    def _strategy_of_file(self, text: str) -> Strategy:
        stem = Path(text).stem
        if not _STEM.fullmatch(stem):
            raise ValueError(f"a strategy file is named like a Python module, not {quote_text(text)}")
        if stem in self.strategies:
            raise ValueError(f"{quote_text(text)} has the name of a strategy that ships; rename the file")
        file = self.existing_file(text)
        try:
            return self.read_strategy(file)
        except (BenchError, OSError) as error:
            raise ValueError(one_line(str(error))) from error

    def _existing(self, text: str, is_there: Callable[[Path], bool], kind: str) -> Path:
        path = self.folder / text
        try:
            if text.isprintable() and is_there(path):
                return path
        except OSError as error:  # a name too long, a folder that may not be entered
            raise ValueError(f"the {kind} {quote_text(text)} cannot be read: {error.strerror}") from error
        raise ValueError(f"no such {kind}, counted from the config's folder: {quote_text(text)}")
