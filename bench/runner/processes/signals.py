"""Ctrl-C and SIGTERM end a run in an orderly way; the second of them ends it at once."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer, get_ident
from types import FrameType
from typing import Final, NoReturn

_SHOW_CURSOR: Final = b"\x1b[?25h\n"


_AGAIN_S: Final = 0.01


class Interrupted(BaseException):
    """The user or the system wants the run to end.

    Attributes:
        number: the signal's.
        is_wanted: tells whether it is to be raised at all.
    """

    def __init__(self, number: int, is_wanted: Callable[[], bool] = lambda: True) -> None:
        super().__init__(number)
        self.number = number
        self.is_wanted = is_wanted


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
            raise Interrupted(number, lambda: not self._is_held)

    def _leave(self) -> NoReturn:
        if sys.stderr is not None:
            show_cursor = _SHOW_CURSOR if sys.stderr.isatty() else b""
            with suppress(OSError):
                os.write(sys.stderr.fileno(), show_cursor + self.parting.encode() + b"\n")
        os._exit(128 + self._received[0])


@contextmanager
def handle_termination() -> Iterator[None]:
    """Take SIGTERM and Ctrl-C as the end of what is being done, so that it is tidied up.

    A signal may come while the interpreter calls a function of its own, such as one that the import of a
    module leaves behind; what is raised there reaches nobody. It is then raised once more.
    """
    lost: list[Interrupted] = []
    tell_of_others = sys.unraisablehook

    def take(number: int, _frame: FrameType | None) -> NoReturn:
        raise Interrupted(number)

    def ignored(unraisable: "sys.UnraisableHookArgs") -> None:
        if isinstance(unraisable.exc_value, Interrupted):
            lost.append(unraisable.exc_value)
            # a real one, and to this thread: it has to wake it from what it waits for
            Timer(_AGAIN_S, signal.pthread_kill, [get_ident(), signal.SIGUSR1]).start()
        else:
            tell_of_others(unraisable)

    def raise_again(_number: int, _frame: FrameType | None) -> None:
        if lost and (error := lost.pop()).is_wanted():
            raise error

    handlers = {signal.SIGINT: take, signal.SIGTERM: take, signal.SIGUSR1: raise_again}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    sys.unraisablehook = ignored
    try:
        yield
    finally:
        sys.unraisablehook = tell_of_others
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def handle_interrupts() -> Iterator[Signals]:
    """Take SIGINT and SIGTERM for as long as the context lasts."""
    signals = Signals()
    before = {number: signal.signal(number, signals.take) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
