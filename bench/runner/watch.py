"""Waiting for what a worker writes, with a deadline, and sampling it meanwhile if that is wanted."""

import os
import select
import time
from collections.abc import Iterator
from typing import Final

from bench.model.json_codec import MalformedError
from bench.runner.launch import Launcher
from bench.runner.piped import Child
from bench.system.probes import Peaks

_SAMPLE_EVERY_S: Final = 0.005
"""While a worker warms up, and never while it is timed."""
_LONGEST_BYTES: Final = 16 << 20
"""Of a line that a worker writes; the report of a trial of 100,000 fetches is a tenth of it at the most."""


class Watch:
    """Waiting for what a worker writes, until it has ended or its deadline has come.

    Attributes:
        deadline_s: when that is, by ``time.perf_counter()``.
    """

    def __init__(self, launcher: Launcher, child: Child, deadline_s: float, peaks: Peaks | None) -> None:
        self.deadline_s = deadline_s
        self._launcher = launcher
        self._child = child
        self._peaks = peaks if peaks is not None and peaks.is_watching else None

    def leave_alone(self) -> None:
        """Sample nothing from now on."""
        self._peaks = None

    def lines(self) -> Iterator[bytes]:
        """Yield each line, until the worker has ended.

        End of file is not waited for: a child of the strategy may hold the pipe open for ever.

        Raises:
            TimeoutError: the deadline came first.
            MalformedError: a line does not end.
        """
        launcher, child = self._launcher, self._child
        unread, reports = bytearray(), child.source.fileno()
        while True:
            left_s = self.deadline_s - time.perf_counter()
            ready, _, _ = select.select([reports, launcher.fileno()], [], [], self._patience_s(left_s))
            if reports in ready:
                part = os.read(reports, 1 << 20)
                *lines, rest = part.split(b"\n")
                for line in lines:
                    yield bytes(unread + line)
                    unread.clear()
                unread += rest
                if len(unread) > _LONGEST_BYTES:
                    raise MalformedError(f"a line of more than {_LONGEST_BYTES >> 20} MiB")
                if not part and launcher.exit_status(child.pid, max(0.0, left_s)) is not None:
                    return
            elif ready and launcher.exit_status(child.pid, 0) is not None and not _is_readable(reports):
                return
            elif self._peaks is not None:
                self._peaks.sample(child.pid)
            if left_s <= 0:
                raise TimeoutError

    def _patience_s(self, left_s: float) -> float:
        return max(0.0, left_s if self._peaks is None else min(left_s, _SAMPLE_EVERY_S))


def _is_readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])
