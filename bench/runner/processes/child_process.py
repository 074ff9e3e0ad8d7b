"""Start a child process with pipes, and keep its last lines of stderr.

Used for server and workers.
"""

import fcntl
import os
import select
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from bench.runner.processes.launcher import Launcher

_TAIL_LINES: Final = 400
_TAIL_BYTES: Final = 65_536
_PIPE_BYTES: Final = 1 << 20
"""Capacity of the pipe where the system grants it; Linux grants as much to every user."""
_PAUSE_S: Final = 0.01
"""Between two reads: a line per fetch must not wake the runner for each fetch while a round is timed."""


class OutputTail(Protocol):
    """The last lines of an output.

    Attributes:
        sink: the descriptor to write to.
    """

    sink: int

    def last_lines(self) -> tuple[str, ...]:
        """Return the last lines that are not empty."""


class FileTail:
    """The last lines of a file: fewer descriptors than a pipe, but a strategy could fill the disk."""

    def __init__(self, file: Path, sink: int) -> None:
        self._file = file
        self.sink = sink

    def last_lines(self) -> tuple[str, ...]:
        """Return the last lines that are not empty; none if the file was removed."""
        try:
            with self._file.open("rb") as output:
                output.seek(max(0, output.seek(0, os.SEEK_END) - _TAIL_BYTES))
                return _split_lines(output.read())
        except FileNotFoundError:
            return ()


class PipeTail:
    """The last lines of a pipe that a thread reads, a megabyte at a time.

    A silent process causes no wake-ups; one that writes more than about 100 MB/s is slowed down.
    """

    def __init__(self, output: tuple[int, int], alarm: tuple[int, int]) -> None:
        self._source, self.sink = output
        self._alarm_source, self._alarm_sink = alarm
        self._tail = b""
        self._stopping = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        """Start the thread that reads."""
        self._reader.start()

    def stop(self) -> None:
        """Read the rest of the pipe, and stop."""
        if not self._stopping.is_set():
            self._stopping.set()
            os.write(self._alarm_sink, b"!")
        self._reader.join()

    def last_lines(self) -> tuple[str, ...]:
        """Stop reading, and return the last lines that are not empty."""
        self.stop()
        return _split_lines(self._tail)

    def _read(self) -> None:
        while not self._stopping.is_set():
            select.select([self._source, self._alarm_source], [], [])
            self._take()
            self._stopping.wait(_PAUSE_S)
        self._take()  # no more than the pipe holds: a process that cannot be killed may write for ever

    def _take(self) -> None:
        if select.select([self._source], [], [], 0)[0]:
            self._tail = (self._tail + os.read(self._source, _PIPE_BYTES))[-_TAIL_BYTES:]


def _split_lines(output: bytes) -> tuple[str, ...]:
    lines = output.decode(errors="replace").splitlines()
    return tuple(line for line in lines if line.strip())[-_TAIL_LINES:]


@contextmanager
def capture_to_file(file: Path) -> Iterator[FileTail]:
    """Open a file for an output; it is not removed."""
    with file.open("ab") as sink:
        yield FileTail(file, sink.fileno())


@contextmanager
def capture_to_pipe() -> Iterator[PipeTail]:
    """Open a pipe for an output, and read it for as long as the context lasts."""
    with ExitStack() as stack:
        tail = PipeTail(_open_pipe(stack), _open_pipe(stack))
        with suppress(AttributeError, OSError):  # not on Linux, or above /proc/sys/fs/pipe-max-size
            fcntl.fcntl(tail.sink, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        tail.start()
        try:
            yield tail
        finally:
            tail.stop()


def _open_pipe(stack: ExitStack) -> tuple[int, int]:
    pipe = os.pipe()
    for descriptor in pipe:
        stack.callback(os.close, descriptor)
    return pipe


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was started.

    Attributes:
        stdin: a pipe to its standard input.
        stdout: a pipe from its standard output, unbuffered.
        stderr: the last lines of its standard error.
    """

    pid: int
    stdin: BinaryIO
    stdout: BinaryIO
    stderr: OutputTail


@contextmanager
def start_child(  # noqa: PLR0913  the arguments of a process
    launcher: Launcher,
    command: Sequence[str],
    stderr: OutputTail,
    *,
    cwd: Path,
    cores: Sequence[int] = (),
    path: Sequence[str] = (),
) -> Iterator[Child]:
    """Start a child with the arguments of ``Launcher.spawn``; close its pipes on leaving.

    Ending the process is up to the caller.
    """
    child_stdin, to_child = os.pipe()
    from_child, child_stdout = os.pipe()
    with os.fdopen(from_child, "rb", buffering=0) as stdout, os.fdopen(to_child, "wb", buffering=0) as stdin:
        try:
            stdio = (child_stdin, child_stdout, stderr.sink)
            pid = launcher.spawn(command, stdio, cwd=cwd, cores=cores, path=path)
        finally:
            os.close(child_stdin)
            os.close(child_stdout)
        yield Child(pid, stdin, stdout, stderr)
