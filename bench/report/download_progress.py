"""Print the flags of `download` as they arrive, and the counts at its end."""

from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import Progress

from bench.model.text import plural, printable
from bench.worker.events import Event, Fetched, FutureObserved

_BAR_ABOVE: Final = 50
"""Fetches above which a terminal gets a bar instead of a line of codes."""
_FEW: Final = 10
_RULE: Final = "-" * 20


class DownloadProgress:
    """Prints one round as it happens: results on one console, the bar on the other."""

    def __init__(self, console: Console, bar_console: Console, fetches: int, *, verbose: bool) -> None:
        self._console = console
        self._verbose = verbose
        self._counts: Counter[str] = Counter()
        self._scheduled: set[str] = set()
        with_bar = bar_console.is_terminal and fetches > _BAR_ABOVE and not verbose
        self._bar = Progress(console=bar_console, transient=True) if with_bar else None
        self._task = self._bar.add_task("flags", total=fetches) if self._bar else None

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self._counts and not self._verbose:
            self._say("")  # the codes stand in one line

    def announce(self, server: str, countries: Sequence[str], workers: int) -> None:
        """Name the server and the flags, as the chapter's scripts do."""
        few = len(countries) <= _FEW
        which = ", ".join(countries) if few else f"from {countries[0]} to {countries[-1]}"
        self._say(f"site: {server}/flags")
        self._say(f"Searching for {plural(len(countries), 'flag')}: {which}")
        self._say(f"Up to {plural(workers, 'download')} at once.")

    def show(self, event: Event) -> None:
        """Print an event."""
        match event:
            case Fetched(country, outcome, detail):
                self._counts[outcome] += 1
                self._show_fetch(country, outcome, detail)
            case FutureObserved(country, text) if self._verbose:
                word = "Done" if country in self._scheduled else "Scheduled for"
                self._scheduled.add(country)
                self._say(f"{word} {country}: {text}")

    @property
    def shown(self) -> int:
        """The fetches that were shown."""
        return self._counts.total()

    def print_counts(self, elapsed_s: float | None) -> None:
        """Print the counts, and how long the round took if it ended."""
        flags = self._counts["ok"]
        missing = self._counts["not_found"]
        errors = self._counts.total() - flags - missing
        self._say(_RULE)
        self._say(f"{plural(flags, 'flag')}, {missing:,} not found, {plural(errors, 'error')}")
        if elapsed_s is not None:
            self._say(f"{plural(flags, 'flag')} downloaded in {elapsed_s:.2f}s")

    def _show_fetch(self, country: str, outcome: str, detail: str) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)
        elif self._verbose:
            self._say(f"{country}: {outcome}{' ' if detail else ''}{detail}")
        else:
            code = country if outcome == "ok" else f"{country}({outcome})"
            self._console.out(printable(code), end=" ", highlight=False)
            self._console.file.flush()

    def _say(self, line: str) -> None:
        self._console.out(printable(line), highlight=False)
