"""The worker's rim: a task from standard input, events and at last a report to standard output."""

import faulthandler
import os
import signal
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Final

from bench.worker.events import Event, EventWriter, event_line
from bench.worker.protocol import Task
from bench.worker.round_control import own_pace, set_pace
from bench.worker.trial import run_trial

_CHUNK: Final = 1 << 16
_STDIN: Final = 0
_STDOUT: Final = 1
_STDERR: Final = 2
_OOM_SCORE: Final = Path("/proc/self/oom_score_adj")


def main() -> None:
    """Read one task, do it, and tell of it; a report comes last and whole."""
    began_s = perf_counter()
    faulthandler.enable()
    die_first()
    commands = claim_stdin()
    task = Task.from_json(read_line(commands))
    # The harness ends what has passed its deadline with SIGTERM: show where it was, even within C code.
    faulthandler.register(signal.SIGTERM, all_threads=True, chain=True)
    descriptor = claim_stdout()

    def tell(event: Event) -> None:
        write_whole(descriptor, event_line(event).encode() + b"\n")

    pace = set_pace(commands, tell) if task.paced else own_pace(task, tell)
    tell(run_trial(task, began_s, EventWriter(descriptor) if task.live else None, pace))


def die_first() -> None:
    """Have the kernel choose this process and its children when memory runs out."""
    with suppress(OSError):
        _OOM_SCORE.write_text("1000", encoding="ascii")


def claim_stdin() -> int:
    """Move standard input to a number of its own; whoever reads from it in our place finds nothing."""
    claimed = os.dup(_STDIN)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, _STDIN)
    os.close(nothing)
    return claimed


def read_line(descriptor: int) -> bytes:
    """Read up to the end of a line or of the file; nobody says more before there was an answer."""
    line = bytearray()
    while not line.endswith(b"\n") and (part := os.read(descriptor, _CHUNK)):
        line += part
    return bytes(line)


def claim_stdout() -> int:
    """Move standard output to a number of its own, which programs that the strategy starts do not get.

    What the strategy prints goes to standard error from now on.
    """
    claimed = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    return claimed


def write_whole(descriptor: int, content: bytes) -> None:
    """Write to a pipe, which may take less than it is given."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
