"""Real terminals: that of tmux, whose screen can be read, and a bare one, which keeps what it is given."""

import os
import pty
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from errno import EIO
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest

_POLL_S = 0.05
_ENDS_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal with a running command.

    Attributes:
        socket: the name of its server, which nothing else uses.
    """

    socket: str

    def screen(self) -> list[str]:
        """Return the lines of the screen, without the empty ones at the end."""
        return self._captured()

    def everything(self) -> list[str]:
        """Return the lines that have left the screen at the top, and then those of the screen."""
        return self._captured("-S", "-")

    def resize(self, width: int, height: int) -> None:
        """Make the terminal larger or smaller."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def wait_for(self, condition: Callable[[list[str]], bool], patience_s: float = 60.0) -> list[str]:
        """Wait until the screen meets a condition, and return it."""
        last_s = time.monotonic() + patience_s
        while time.monotonic() < last_s:
            if condition(screen := self.screen()):
                return screen
            time.sleep(_POLL_S)
        raise AssertionError("\n".join(["the screen did not become what was expected:", *self.screen()]))

    def _captured(self, *options: str) -> list[str]:
        text = self._tmux("capture-pane", "-p", *options)
        return [line.rstrip() for line in text.rstrip().split("\n")]

    def _tmux(self, *words: str) -> str:
        return subprocess.run(
            ["tmux", "-L", self.socket, *words], capture_output=True, text=True, check=True, timeout=20
        ).stdout


@contextmanager
def terminal(command: Sequence[str], folder: Path, width: int, height: int) -> Iterator[Terminal]:
    """Start a command in a terminal, which stays open when it ends; skip the test where there is no tmux."""
    if shutil.which("tmux") is None:
        pytest.skip("no terminal: install tmux")
    shown = Terminal(f"flagbench-{uuid4().hex[:12]}")
    line = f"{shlex.join(command)}; echo ended with $?; exec cat"
    start = [
        *("tmux", "-L", shown.socket, "-f", "/dev/null"),
        *("new-session", "-d", "-x", str(width), "-y", str(height), "-c", str(folder), line),
    ]
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    subprocess.run(start, check=True, timeout=20, env=environment)  # the size is that of the terminal
    try:
        yield shown
    finally:
        subprocess.run(["tmux", "-L", shown.socket, "kill-server"], check=False, timeout=20)


@dataclass(frozen=True, slots=True)
class BareTerminal:
    """A terminal without a screen, which records what is written to it.

    Attributes:
        descriptor: the end for a program.
        given: the bytes that were written; complete once the terminal is closed.
    """

    descriptor: int
    given: bytearray = field(default_factory=bytearray)


@contextmanager
def bare_terminal() -> Iterator[BareTerminal]:
    """Open a terminal whose other end is read all the time, so that no program waits for room in it."""
    ours, theirs = pty.openpty()
    opened = BareTerminal(theirs)

    def read() -> None:
        try:
            while part := os.read(ours, 1 << 16):
                opened.given.extend(part)
        except OSError as error:
            if error.errno != EIO:  # that is how a terminal ends
                raise

    reader = Thread(target=read, daemon=True)
    reader.start()
    try:
        yield opened
    finally:
        os.close(theirs)
        reader.join(_ENDS_WITHIN_S)
        if reader.is_alive():  # some process still has the other end
            raise AssertionError("a process has not closed the terminal")
        os.close(ours)
