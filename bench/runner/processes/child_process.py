"""A child with its input and output in our hands."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bench.runner.processes.launcher import Launcher
from bench.runner.processes.output import Output


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was started.

    Attributes:
        sink: its standard input.
        source: its standard output, unbuffered.
        words: where its standard error goes.
    """

    pid: int
    sink: BinaryIO
    source: BinaryIO
    words: Output


@contextmanager
def start_piped(  # noqa: PLR0913  what a process is started with
    launcher: Launcher,
    command: Sequence[str],
    *,
    cwd: Path,
    words: Output,
    cores: Sequence[int] = (),
    path: Sequence[str] = (),
) -> Iterator[Child]:
    """Start a child, on these cores if there are any, with ``bench`` on this path if there is one.

    Its pipes are closed on leaving; its end is for others to see to.
    """
    child_from, to_child = os.pipe()
    from_child, child_to = os.pipe()
    with os.fdopen(from_child, "rb", buffering=0) as source, os.fdopen(to_child, "wb", buffering=0) as sink:
        try:
            pid = launcher.spawn(
                command, cwd=cwd, cores=cores, stdin=child_from, stdout=child_to, stderr=words.sink, path=path
            )
        finally:
            os.close(child_from)
            os.close(child_to)
        yield Child(pid, sink, source, words)
