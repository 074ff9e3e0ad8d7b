"""Run a command in a real terminal, that of tmux, and read its screen."""

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

_POLL_S = 0.05


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
