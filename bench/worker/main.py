"""The worker's rim: a task from standard input, a report to standard output."""

import faulthandler
import os
import signal
import sys
from typing import Final

from bench.worker.live import LiveWatcher, event_line
from bench.worker.protocol import Task
from bench.worker.trial import run_trial

_STDOUT: Final = 1
_STDERR: Final = 2


def main() -> None:
    """Read one task, do it, and write one report, last and whole."""
    faulthandler.enable()
    task = Task.from_json(sys.stdin.buffer.read())
    # The harness ends what has passed its deadline with SIGTERM: show where it was, even within C code.
    faulthandler.register(signal.SIGTERM, all_threads=True, chain=True)
    descriptor = claim_stdout()
    if task.live:
        report = event_line(run_trial(task, LiveWatcher(descriptor)))
    else:
        report = run_trial(task, None).to_json()
    write_whole(descriptor, report.encode() + b"\n")


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
