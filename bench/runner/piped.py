"""A child with its input and output in our hands, and what it prints in a file."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from bench.runner.launch import Launcher

_TAIL_LINES: Final = 40
_TAIL_BYTES: Final = 16_384


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was started.

    Attributes:
        sink: its standard input.
        source: its standard output, unbuffered.
        printed: the file that takes its standard error.
    """

    pid: int
    sink: BinaryIO
    source: BinaryIO
    printed: Path

    def last_words(self) -> tuple[str, ...]:
        """Return the last lines that it printed; none if the file is gone."""
        try:
            with self.printed.open("rb") as words:
                words.seek(max(0, words.seek(0, os.SEEK_END) - _TAIL_BYTES))
                text = words.read().decode(errors="replace")
        except FileNotFoundError:
            return ()
        return tuple(line for line in text.splitlines() if line.strip())[-_TAIL_LINES:]


@contextmanager
def piped(
    launcher: Launcher, command: Sequence[str], *, cwd: Path, printed: Path, cores: Sequence[int] = ()
) -> Iterator[Child]:
    """Start a child, on these cores if there are any.

    Its pipes are closed on leaving; its end is for others to see to.
    """
    child_from, to_child = os.pipe()
    from_child, child_to = os.pipe()
    with os.fdopen(from_child, "rb", buffering=0) as source, os.fdopen(to_child, "wb", buffering=0) as sink:
        try:
            with printed.open("ab") as words:
                pid = launcher.spawn(
                    command, cwd=cwd, cores=cores, stdin=child_from, stdout=child_to, stderr=words.fileno()
                )
        finally:
            os.close(child_from)
            os.close(child_to)
        yield Child(pid, sink, source, printed)
