"""Processes that do a round whenever they are asked to, so that a benchmark can alternate between them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.system.paths import import_path


class Side:
    """A process that does one round whenever it is asked to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def round_s(self, *probes: str) -> float:
        """Ask for a round and return how long it took, in seconds, by its own account."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{' '.join(probes)}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())


@contextmanager
def side(script: str, *words: str) -> Iterator[Side]:
    """Start a side with its script."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-P", "-c", script, *words],
        env={"PYTHONPATH": ":".join(import_path())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Side(process)
        assert process.stdin is not None
        process.stdin.close()
