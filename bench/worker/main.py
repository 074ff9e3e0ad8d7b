"""Run a worker process.

It reads a task from stdin, runs its trial, and writes events and a report to stdout.
"""

import faulthandler
import os
import signal
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Final

from bench.worker.events import EventWriter
from bench.worker.protocol import Task
from bench.worker.trial import run_trial

_READ_BYTES: Final = 1 << 16
_STDIN: Final = 0
_STDOUT: Final = 1
_STDERR: Final = 2
_OOM_SCORE: Final = Path("/proc/self/oom_score_adj")


def main() -> None:
    """Read one task, run its trial, and write its report as the last line."""
    began_s = perf_counter()
    faulthandler.enable()
    prefer_oom_kill()
    commands = claim_stdin()
    task = Task.from_json(read_line(commands))
    # The runner ends a late worker with SIGTERM: dump its stack then, even from within C code.
    faulthandler.register(signal.SIGTERM, all_threads=True, chain=True)
    events = EventWriter(claim_stdout())
    events.write(run_trial(task, began_s, events, commands))


def prefer_oom_kill() -> None:
    """Make the kernel choose this process and its children when memory runs out."""
    with suppress(OSError):
        _OOM_SCORE.write_text("1000", encoding="ascii")


def claim_stdin() -> int:
    """Return a duplicate of standard input, and replace the original by ``/dev/null``."""
    claimed = os.dup(_STDIN)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, _STDIN)
    os.close(null)
    return claimed


def read_line(descriptor: int) -> bytes:
    """Read up to the end of a line or of the file.

    Nothing behind the line is lost: the runner writes no second one before an event.
    """
    line = bytearray()
    while not line.endswith(b"\n") and (part := os.read(descriptor, _READ_BYTES)):
        line += part
    return bytes(line)


def claim_stdout() -> int:
    """Return a duplicate of standard output, and redirect the strategy's prints to standard error.

    The duplicate is not inherited by programs that the strategy starts.
    """
    claimed = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    return claimed
