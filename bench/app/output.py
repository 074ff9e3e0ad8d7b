"""The two consoles: results go to stdout, everything else to stderr. A reader may leave early."""

import os
import sys

from rich.console import Console


class BrokenPipeConsole(Console):
    """A console that falls silent when its reader has gone, as with ``| head``; work goes on."""

    def on_broken_pipe(self) -> None:
        """Write into the void from now on, so that nothing complains at the end either."""
        self.quiet = True
        _drain(self.file)


def stdout_console() -> Console:
    """Return the console for results, without colours or markup surprises in a pipe."""
    return BrokenPipeConsole(highlight=False, markup=False, emoji=False)


def stderr_console() -> Console:
    """Return the console for progress and remarks."""
    return BrokenPipeConsole(stderr=True, highlight=False, markup=False, emoji=False)


def write_stdout(text: str) -> None:
    """Write a text to stdout as it is."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _drain(sys.stdout)


def write_stderr(text: str) -> None:
    """Write a text to stderr as it is."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except BrokenPipeError:
        _drain(sys.stderr)


def write_stdout_bytes(content: bytes) -> None:
    """Write bytes to stdout, in whatever encoding it has for texts."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _drain(sys.stdout)


def _drain(stream: object) -> None:
    if hasattr(stream, "fileno"):
        void = os.open(os.devnull, os.O_WRONLY)
        os.dup2(void, stream.fileno())
        os.close(void)
