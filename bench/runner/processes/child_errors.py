"""Find the error of a process that a strategy started.

It is in the standard error that the process shares with its worker. A pool only says that a process of it has
ended. Used by ``bench.runner.processes.worker_exit``.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Final

from bench.worker.protocol import RAISED

_HEADING: Final = "Traceback (most recent call last):"
_FATAL: Final = "Fatal Python error: "
_ANNOUNCEMENT: Final = re.compile(r"Process \S+:|Exception in initializer:")
"""Written before the traceback by ``multiprocessing`` and ``concurrent.futures``, in the process itself."""
_OF_CHILD: Final = re.compile(r"\bmultiprocessing[/\\](spawn|forkserver|process)\.py$")
"""Modules that only a process started by ``multiprocessing`` has in its stack."""
_FRAME: Final = re.compile(r'\s*File "(?P<file>[^"]*)", line (?P<line>\d+)')
_ERROR: Final = re.compile(r"[A-Za-z_][\w.]*(: .*)?")
_CHAINED: Final = ("During handling of the above", "The above exception was")
_DUMPED: Final = re.compile(r"(Current thread|Thread) 0x|Extension modules:|  File \"|  <")
"""Lines of ``faulthandler``, whose handler of SIGTERM forked processes inherit."""
_BROKEN: Final = "BrokenProcessPool"


@dataclass(slots=True)
class _Trace:
    """A traceback in an output.

    Attributes:
        is_of_child: whether a child of the worker wrote it.
        frames: file and line of each.
        error: empty until it is read.
    """

    is_of_child: bool
    frames: list[tuple[str, int]] = field(default_factory=list)
    error: str = ""


def find_child_error(detail: str, stderr: Sequence[str], file: Path) -> str | None:
    """Return the error of a process that the strategy started, with its place, or None.

    Of a process of a broken pool that left no traceback, it is the last line that was printed.

    Args:
        detail: the problem of the trial.
        stderr: lines of the worker and of all processes below it.
        file: the strategy, whose lines are named rather than those of the libraries that it calls.
    """
    printed = tuple(takewhile(lambda line: line != RAISED, stderr))
    for trace in _traces(printed):
        if trace.is_of_child and trace.error:
            return f"{trace.error}{_place(trace.frames, file)}"
    for number, line in enumerate(printed):
        if line.startswith(_FATAL):
            return f"{line.removeprefix(_FATAL)}{_place(_frames(reversed(printed[number:])), file)}"
    said = [line for line in printed if not _DUMPED.match(line)]
    return said[-1].strip() if said and _BROKEN in detail else None


def _traces(lines: Sequence[str]) -> Iterator[_Trace]:
    """Yield the tracebacks of an output; one of several that are chained is the last."""
    trace: _Trace | None = None
    for before, line in pairwise(("", *lines)):
        if line.startswith(_CHAINED):
            continue
        if line == _HEADING:
            if trace is not None and not before.startswith(_CHAINED):
                yield trace
            is_of_child = bool(_ANNOUNCEMENT.fullmatch(before))
            is_next = trace is not None and before.startswith(_CHAINED)
            trace = _Trace(is_of_child or (is_next and trace is not None and trace.is_of_child))
        elif trace is not None and not trace.error:
            for frame in _frames([line]):
                trace.frames.append(frame)
                trace.is_of_child |= bool(_OF_CHILD.search(frame[0]))
            if trace.frames and _ERROR.fullmatch(line):
                trace.error = line
    if trace is not None:
        yield trace


def _frames(lines: Sequence[str] | Iterator[str]) -> list[tuple[str, int]]:
    matches = map(_FRAME.match, lines)
    return [(match["file"], int(match["line"])) for match in matches if match]


def _place(frames: Sequence[tuple[str, int]], file: Path) -> str:
    """Write the innermost frame in the strategy's file, or else the innermost of all."""
    own = [frame for frame in frames if frame[0] == str(file)] or frames
    return f" ({Path(own[-1][0]).name}:{own[-1][1]})" if own else ""
