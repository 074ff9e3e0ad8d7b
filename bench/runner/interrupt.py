"""Ctrl-C and SIGTERM end a run in an orderly way; the second of them ends it at once."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final, NoReturn

_SHOW_CURSOR: Final = b"\x1b[?25h\n"


class Interrupted(BaseException):
    """The user or the system wants the run to end; ``number`` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Signals:
    """The signals that came while a run was going on.

    Attributes:
        parting: what is said if the second of them makes the process leave at once.
    """

    def __init__(self) -> None:
        self._received: list[int] = []
        self._is_held = False
        self.parting = ""

    @property
    def exit_code(self) -> int | None:
        """What a process that was ended by the first of them exits with; ``None`` if there was none."""
        return 128 + self._received[0] if self._received else None

    def hold(self) -> None:
        """Only note the first signal from now on: what is being written will be written to its end."""
        self._is_held = True

    def take(self, number: int, _frame: FrameType | None) -> None:
        """Raise ``Interrupted`` at the first signal, leave at the second.

        Leaving at once loses nothing that counts: every finished trial is in the journal already, and
        the guardian ends the children.
        """
        self._received.append(number)
        if len(self._received) > 1:
            self._leave()
        if not self._is_held:
            raise Interrupted(number)

    def _leave(self) -> NoReturn:
        if sys.stderr is not None:
            show_cursor = _SHOW_CURSOR if sys.stderr.isatty() else b""
            with suppress(OSError):
                os.write(sys.stderr.fileno(), show_cursor + self.parting.encode() + b"\n")
        os._exit(128 + self._received[0])


@contextmanager
def terminable() -> Iterator[None]:
    """Take SIGTERM as the end of what is being done, so that it is tidied up, as Ctrl-C already is."""

    def take(number: int, _frame: FrameType | None) -> NoReturn:
        raise Interrupted(number)

    before = signal.signal(signal.SIGTERM, take)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def interruptible() -> Iterator[Signals]:
    """Take SIGINT and SIGTERM for as long as the context lasts."""
    signals = Signals()
    before = {number: signal.signal(number, signals.take) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
