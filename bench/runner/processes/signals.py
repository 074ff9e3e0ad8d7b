"""Handle Ctrl-C and SIGTERM: the first ends a run in an orderly way, the second at once."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer, get_ident
from types import FrameType
from typing import Final, NoReturn

_SHOW_CURSOR: Final = b"\x1b[?25h\n"
_RAISE_AGAIN_AFTER_S: Final = 0.01


class Interrupted(BaseException):
    """The user or the system ends the run.

    Attributes:
        number: the number of the signal.
        is_wanted: returns whether to raise it at all, as ``Signals.hold`` may have been called meanwhile.
    """

    def __init__(self, number: int, is_wanted: Callable[[], bool] = lambda: True) -> None:
        super().__init__(number)
        self.number = number
        self.is_wanted = is_wanted


class Signals:
    """The signals received during a run.

    Attributes:
        exit_message: message to print if the second signal ends the process at once.
    """

    def __init__(self) -> None:
        self._received: list[int] = []
        self._is_held = False
        self.exit_message = ""

    @property
    def exit_code(self) -> int | None:
        """Exit code of a process that was ended by the first signal; None without a signal."""
        return 128 + self._received[0] if self._received else None

    def hold(self) -> None:
        """Only record the first signal from now on, so that results are written completely."""
        self._is_held = True

    def take(self, number: int, _frame: FrameType | None) -> None:
        """Raise ``Interrupted`` at the first signal, and exit at the second.

        An immediate exit loses no results: every finished trial is in the journal already, and the
        supervisor kills the children.
        """
        self._received.append(number)
        if len(self._received) > 1:
            self._exit()
        if not self._is_held:
            raise Interrupted(number, lambda: not self._is_held)

    def _exit(self) -> NoReturn:
        if sys.stderr is not None:
            show_cursor = _SHOW_CURSOR if sys.stderr.isatty() else b""
            with suppress(OSError):
                os.write(sys.stderr.fileno(), show_cursor + self.exit_message.encode() + b"\n")
        os._exit(128 + self._received[0])


@contextmanager
def handle_interrupts() -> Iterator[Signals]:
    """Record SIGINT and SIGTERM and raise ``Interrupted`` for as long as the context lasts."""
    signals = Signals()
    with _handlers({signal.SIGINT: signals.take, signal.SIGTERM: signals.take}):
        yield signals


@contextmanager
def handle_termination() -> Iterator[None]:
    """Raise ``Interrupted`` at SIGINT and SIGTERM, so that contexts clean up; used around a command.

    A signal may arrive while the interpreter calls a function of its own, such as a callback that an import
    leaves behind; exceptions that are raised there are lost. Such an exception is raised once more.
    """
    lost: list[Interrupted] = []
    previous_hook = sys.unraisablehook

    def take(number: int, _frame: FrameType | None) -> NoReturn:
        raise Interrupted(number)

    def keep_lost(unraisable: "sys.UnraisableHookArgs") -> None:
        if isinstance(unraisable.exc_value, Interrupted):
            lost.append(unraisable.exc_value)
            # a real signal, to this thread: it has to interrupt a blocking call
            Timer(_RAISE_AGAIN_AFTER_S, signal.pthread_kill, [get_ident(), signal.SIGUSR1]).start()
        else:
            previous_hook(unraisable)

    def raise_again(_number: int, _frame: FrameType | None) -> None:
        if lost and (error := lost.pop()).is_wanted():
            raise error

    with _handlers({signal.SIGINT: take, signal.SIGTERM: take, signal.SIGUSR1: raise_again}):
        sys.unraisablehook = keep_lost
        try:
            yield
        finally:
            sys.unraisablehook = previous_hook


@contextmanager
def _handlers(handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]]) -> Iterator[None]:
    """Install signal handlers, and restore the previous ones."""
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
