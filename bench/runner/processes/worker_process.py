"""Run a worker process: hand it a task, wait for its events until a deadline, and end it."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from bench.model.comparison import BuiltVariant
from bench.model.json_codec import MalformedError
from bench.runner.processes.child_process import Child, capture_to_pipe, start_child
from bench.runner.processes.launcher import Launcher
from bench.runner.processes.worker_exit import WorkerExit
from bench.runner.report_check import find_unrecordable
from bench.system.process_probes import Peaks
from bench.worker.events import Awaiting, Event, WarmedUp, read_event
from bench.worker.protocol import Report, Task, worker_command

_SAMPLE_EVERY_S: Final = 0.005
"""Period of sampling a worker that warms up; it is never sampled while it is timed."""
_MAX_LINE_BYTES: Final = 16 << 20
"""Of an event; the report of a trial with 100,000 fetches has at most a tenth of it."""
_EXIT_TIMEOUT_S: Final = 2.0
"""Time for a worker to exit after its report."""
_SWEEP_GRACE_S: Final = 0.1
"""Time for processes that a worker started to end after it: they learn of its end from a pipe."""


class Worker:
    """A worker that has its task.

    Attributes:
        pid: its process.
        is_waiting: whether it waits for a command to begin a round.
    """

    def __init__(  # noqa: PLR0913  the parts of a running worker
        self,
        launcher: Launcher,
        child: Child,
        *,
        started_s: float,
        allowed_s: float,
        is_paced: bool,
        peaks: Peaks | None,
    ) -> None:
        self.pid = child.pid
        self.is_waiting = False
        self._launcher = launcher
        self._child = child
        self._started_s = started_s
        self._left_s = started_s + allowed_s - time.perf_counter()
        self._deadline_s = 0.0
        self._peaks = peaks if peaks is not None and peaks.is_watching else None
        self._lines = self._read_lines()
        self._rounds = 0
        self._may_report = not is_paced
        self._report: Report | None = None
        self._in_time = True
        self._malformed: str | None = None

    def wait_for_event(self, on_event: Callable[[Event], None] | None = None) -> None:
        """Handle events until the worker waits, has reported or has ended.

        Only this time counts towards its deadline. Other events are passed to ``on_event``.
        """
        self.is_waiting = False
        began_s = time.perf_counter()
        self._deadline_s = began_s + self._left_s
        try:
            for line in self._lines:
                match read_event(line):
                    case Report() as report:
                        self._take_report(report)
                        return
                    case Awaiting(rounds):
                        if rounds != self._rounds:
                            raise MalformedError(f"{rounds} rounds are done where {self._rounds} were due")
                        self.is_waiting = True
                        return
                    case WarmedUp():
                        self._peaks = None
                    case event if on_event is not None:
                        on_event(event)
        except TimeoutError:
            self._in_time = False
        except MalformedError as error:
            self._malformed = error.what
        finally:
            self._left_s -= time.perf_counter() - began_s

    def pause(self) -> None:
        """Pause the process group of a worker that waits: threads that it left running take CPU time."""
        if self.is_waiting:
            self._launcher.signal(self.pid, signal.SIGSTOP)

    def run_round(self) -> None:
        """Let a worker that waits do another round, and wait for its end."""
        self._launcher.signal(self.pid, signal.SIGCONT)
        if self._rounds == 1:
            self._peaks = None
        self._rounds += 1
        with suppress(BrokenPipeError):  # it has crashed: there will be no report
            self._child.stdin.write(b"\n")
        self.wait_for_event()

    def finish(self) -> None:
        """Let a worker that waits write its report."""
        self._launcher.signal(self.pid, signal.SIGCONT)
        self._child.stdin.close()
        if self.is_waiting:
            self._may_report = True
            self.wait_for_event()

    def end(self, keep: Sequence[int] | None) -> WorkerExit:
        """End the worker and all processes below it, except ``keep`` and their descendants.

        Without ``keep``, only the worker itself ends, and processes that outlive it are not counted.
        """
        report, launcher = self._report, self._launcher
        status = launcher.exit_status(self.pid, _EXIT_TIMEOUT_S if report else 0)
        if status is None:
            status = launcher.end(self.pid)
        processes_left = 0 if keep is None else launcher.sweep(keep, _SWEEP_GRACE_S if report else 0.0)
        return WorkerExit(
            started_s=self._started_s,
            report=report,
            status=status,
            in_time=self._in_time,
            malformed=self._malformed,
            stderr=self._child.stderr.last_lines(),
            processes_left=processes_left,
            ended_s=time.perf_counter(),
        )

    def _take_report(self, report: Report) -> None:
        """Keep a report; a paced worker may only report early if it has a problem."""
        if problem := find_unrecordable(report):
            raise MalformedError(problem)
        if report.outcome == "ok" and not self._may_report:
            raise MalformedError("it reported before it was told to")
        self._report = report

    def _read_lines(self) -> Iterator[bytes]:
        """Yield the lines of a worker until it has ended, and sample it meanwhile.

        It does not wait for end of file: a child of the strategy may hold the pipe open for ever.

        Raises:
            TimeoutError: the deadline has passed.
            MalformedError: a line is too long.
        """
        launcher, pid, stdout = self._launcher, self.pid, self._child.stdout.fileno()
        unread = bytearray()
        while True:
            left_s = self._deadline_s - time.perf_counter()
            timeout_s = left_s if self._peaks is None else min(left_s, _SAMPLE_EVERY_S)
            ready, _, _ = select.select([stdout, launcher.fileno()], [], [], max(0.0, timeout_s))
            if stdout in ready:
                part = os.read(stdout, 1 << 20)
                *lines, rest = part.split(b"\n")
                for line in lines:
                    yield bytes(unread + line)
                    unread.clear()
                unread += rest
                if len(unread) > _MAX_LINE_BYTES:
                    raise MalformedError(f"a line of more than {_MAX_LINE_BYTES >> 20} MiB")
                if not part and launcher.exit_status(pid, max(0.0, left_s)) is not None:
                    return
            elif ready and launcher.exit_status(pid, 0) is not None and not _is_readable(stdout):
                return
            elif self._peaks is not None:
                self._peaks.sample(pid)
            if left_s <= 0:
                raise TimeoutError


def _is_readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


@contextmanager
def start_worker(  # noqa: PLR0913  the arguments of a worker
    launcher: Launcher,
    task: Task,
    allowed_s: float,
    *,
    variant: BuiltVariant,
    cores: Sequence[int] = (),
    peaks: Peaks | None = None,
) -> Iterator[Worker]:
    """Start a worker and hand it its task.

    Args:
        launcher: starts the process.
        task: the trial to run.
        allowed_s: seconds that the worker may take in all.
        variant: interpreter and import path of the worker.
        cores: CPU affinity of the worker; empty for all cores.
        peaks: samples the resources of the worker until it has warmed up.
    """
    started_s = time.perf_counter()
    command = worker_command(variant.python)
    path = variant.import_path
    with (
        capture_to_pipe() as stderr,
        start_child(launcher, command, stderr, cwd=task.folder, cores=cores, path=path) as child,
    ):
        with suppress(BrokenPipeError):  # it has crashed: there will be no report
            child.stdin.write(task.to_json().encode() + b"\n")
        if not task.paced:
            child.stdin.close()
        yield Worker(
            launcher, child, started_s=started_s, allowed_s=allowed_s, is_paced=task.paced, peaks=peaks
        )
