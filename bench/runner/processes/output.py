"""What a process prints: only its end is kept, however much there is."""

import fcntl
import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

_TAIL_LINES: Final = 40
_TAIL_BYTES: Final = 16_384
_PIPE_BYTES: Final = 1 << 20
"""What fits into the pipe where the system grants it; Linux grants so much to everybody."""
_PAUSE_S: Final = 0.01
"""Between two readings: a line a fetch must not wake us for each fetch while a round is timed."""


class Output(Protocol):
    """Where a process prints to.

    Attributes:
        sink: the descriptor that the process is given.
    """

    @property
    def sink(self) -> int:
        """Return the descriptor that the process is given."""

    def last(self) -> tuple[str, ...]:
        """Return the last lines that were printed."""


class FileOutput:
    """What is printed into a file, by who can be trusted not to fill the disk."""

    def __init__(self, file: Path, sink: int) -> None:
        self._file = file
        self.sink = sink

    def last(self) -> tuple[str, ...]:
        """Return the last lines that were printed; none if the file is gone."""
        try:
            with self._file.open("rb") as words:
                words.seek(max(0, words.seek(0, os.SEEK_END) - _TAIL_BYTES))
                return _lines(words.read())
        except FileNotFoundError:
            return ()


@dataclass(frozen=True, slots=True)
class Pipe:
    """The two ends of a pipe."""

    source: int
    sink: int


class PipeOutput:
    """What is printed into a pipe that a thread empties, a megabyte at a time.

    A process that says nothing wakes nobody. One that says more than about 100 MB/s has to wait for us.
    """

    def __init__(self, printed: Pipe, alarm: Pipe) -> None:
        self._printed = printed
        self._alarm = alarm
        self._tail = b""
        self._ending = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self.sink = printed.sink

    def start(self) -> None:
        """Listen from now on."""
        self._listener.start()

    def last(self) -> tuple[str, ...]:
        """Return the last lines that were printed, and listen no longer."""
        self.stop()
        return _lines(self._tail)

    def stop(self) -> None:
        """Take what is in the pipe, and listen no longer."""
        if not self._ending.is_set():
            self._ending.set()
            os.write(self._alarm.sink, b"!")
        self._listener.join()

    def _listen(self) -> None:
        while not self._ending.is_set():
            select.select([self._printed.source, self._alarm.source], [], [])
            self._take()
            self._ending.wait(_PAUSE_S)
        self._take()  # no more than the pipe holds: what cannot be killed may print for ever

    def _take(self) -> None:
        if select.select([self._printed.source], [], [], 0)[0]:
            self._tail = (self._tail + os.read(self._printed.source, _PIPE_BYTES))[-_TAIL_BYTES:]


@contextmanager
def file_output(file: Path) -> Iterator[FileOutput]:
    """Open a file for what a process prints; it remains."""
    with file.open("ab") as sink:
        yield FileOutput(file, sink.fileno())


@contextmanager
def pipe_output() -> Iterator[PipeOutput]:
    """Open a pipe for what a process prints, and listen at its other end."""
    with _pipe() as printed, _pipe() as alarm:
        _widen(printed.sink)
        words = PipeOutput(printed, alarm)
        words.start()
        try:
            yield words
        finally:
            words.stop()


@contextmanager
def _pipe() -> Iterator[Pipe]:
    pipe = Pipe(*os.pipe())
    try:
        yield pipe
    finally:
        os.close(pipe.source)
        os.close(pipe.sink)


def _widen(pipe: int) -> None:
    """Make a pipe hold more; Linux can, and lets everybody up to ``/proc/sys/fs/pipe-max-size``."""
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (AttributeError, OSError):
        return


def _lines(text: bytes) -> tuple[str, ...]:
    lines = text.decode(errors="replace").splitlines()
    return tuple(line for line in lines if line.strip())[-_TAIL_LINES:]
