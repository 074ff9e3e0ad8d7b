"""Handle Ctrl-C and SIGTERM: the first ends a run in an orderly way, the second at once."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread, get_ident
from types import FrameType
from typing import Final, NoReturn

_SHOW_CURSOR: Final = b"\x1b[?25h\n"
_RAISE_AGAIN_EVERY_S: Final = 0.01


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
    threads: list[Thread] = []
    is_in_hook = False
    main_thread, previous_hook = get_ident(), sys.unraisablehook

    def take(number: int, _frame: FrameType | None) -> NoReturn:
        raise Interrupted(number)

    def keep_lost(unraisable: "sys.UnraisableHookArgs") -> None:
        nonlocal is_in_hook
        if not isinstance(unraisable.exc_value, Interrupted):
            previous_hook(unraisable)
            return
        is_in_hook = True
        try:
            lost.append(unraisable.exc_value)
            thread = Thread(target=signal_until_raised, daemon=True)
            thread.start()
            threads.append(thread)
        finally:
            is_in_hook = False

    def signal_until_raised() -> None:
        time.sleep(_RAISE_AGAIN_EVERY_S)
        while lost:
            # a real signal, to the main thread: it has to interrupt a blocking call
            signal.pthread_kill(main_thread, signal.SIGUSR1)
            time.sleep(_RAISE_AGAIN_EVERY_S)

    def raise_again(_number: int, _frame: FrameType | None) -> None:
        # an exception that is raised within the hook itself would be lost for good
        if lost and not is_in_hook and (error := lost.pop()).is_wanted():
            raise error

    with _handlers({signal.SIGINT: take, signal.SIGTERM: take, signal.SIGUSR1: raise_again}):
        sys.unraisablehook = keep_lost
        try:
            yield
        finally:
            sys.unraisablehook = previous_hook
            lost.clear()
            for thread in threads:  # a late SIGUSR1 would end this process once its handler is gone
                thread.join()


@contextmanager
def _handlers(handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]]) -> Iterator[None]:
    """Install signal handlers, and restore the previous ones."""
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
