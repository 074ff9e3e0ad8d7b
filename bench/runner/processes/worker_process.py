"""Waiting for what a worker writes, with a deadline, and sampling it meanwhile if that is wanted."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from bench.model.comparison import BuiltVariant
from bench.model.json_codec import MalformedError
from bench.runner.processes.child_process import Child, start_piped
from bench.runner.processes.launcher import Launcher
from bench.runner.processes.output import pipe_output
from bench.runner.processes.worker_exit import WorkerExit
from bench.runner.report_check import find_unrecordable
from bench.system.process_probes import Peaks
from bench.worker.events import Awaiting, Event, WarmedUp, read_event
from bench.worker.protocol import Report, Task, worker_command

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


_PATIENCE_S: Final = 2.0
"""What a worker may take to leave after it has reported."""
_GRACE_S: Final = 0.1
"""What processes that a worker started may take to end after it: they learn of its end from a pipe."""


class Worker:
    """A worker that was handed its task.

    Attributes:
        pid: its process.
        waits: whether it waits for being told to go on.
    """

    def __init__(
        self, launcher: Launcher, child: Child, watch: Watch, started_s: float, *, is_paced: bool
    ) -> None:
        self.pid = child.pid
        self._launcher = launcher
        self._child = child
        self._watch = watch
        self._lines = watch.lines()
        self._started_s = started_s
        self._left_s = watch.deadline_s - time.perf_counter()
        self._report: Report | None = None
        self._rounds = 0
        self._may_report = not is_paced
        self.waits = False
        self._in_time = True
        self._nonsense = ""

    def hear(self, heed: Callable[[Event], None] | None = None) -> None:
        """Listen until it waits, has reported or is gone.

        What it takes meanwhile is taken off what it may take in all.
        """
        self.waits = False
        began_s = time.perf_counter()
        self._watch.deadline_s = began_s + self._left_s
        try:
            for line in self._lines:
                match read_event(line):
                    case Report() as said:
                        self._take(said)
                        return
                    case Awaiting(rounds):
                        if rounds != self._rounds:
                            raise MalformedError(f"{rounds} rounds are done where {self._rounds} were due")
                        self.waits = True
                        return
                    case WarmedUp():
                        self._watch.leave_alone()
                    case event if heed is not None:
                        heed(event)
        except TimeoutError:
            self._in_time = False
        except MalformedError as error:
            self._nonsense = error.what
        finally:
            self._left_s -= time.perf_counter() - began_s

    def _take(self, report: Report) -> None:
        """Keep a report that can be recorded; one without a problem must have been asked for."""
        if problem := find_unrecordable(report):
            raise MalformedError(problem)
        if report.outcome == "ok" and not self._may_report:
            raise MalformedError("it reported before it was told to")
        self._report = report

    def rest(self) -> None:
        """Stop what a worker that waits has left running in its group: it is the other side's turn."""
        if self.waits:
            self._launcher.signal(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Have a worker that waits do another round, and listen."""
        self._launcher.signal(self.pid, signal.SIGCONT)
        if self._rounds == 1:
            self._watch.leave_alone()
        self._rounds += 1
        with suppress(BrokenPipeError):  # it has died; that it gives no report will tell
            self._child.sink.write(b"\n")
        self.hear()

    def stop(self) -> None:
        """Have a worker report that waits, if it does."""
        self._launcher.signal(self.pid, signal.SIGCONT)
        self._child.sink.close()
        if self.waits:
            self._may_report = True
            self.hear()

    def end(self, keep: Sequence[int] | None) -> WorkerExit:
        """End whatever is left of it, and say how it ended; what runs below those to keep is spared.

        Without ``keep``, only its own process ends, and what outlived it is not counted.
        """
        report, launcher = self._report, self._launcher
        status = launcher.exit_status(self.pid, _PATIENCE_S if report else 0)
        if status is None:
            status = launcher.end(self.pid)
        processes_left = 0 if keep is None else launcher.sweep(keep, _GRACE_S if report else 0.0)
        return WorkerExit(
            started_s=self._started_s,
            report=report,
            status=status,
            in_time=self._in_time,
            nonsense=self._nonsense,
            words=self._child.words.last(),
            processes_left=processes_left,
            ended_s=time.perf_counter(),
        )


@contextmanager
def started(  # noqa: PLR0913  what a worker is started with
    launcher: Launcher,
    task: Task,
    allowed_s: float,
    *,
    side: BuiltVariant,
    cores: Sequence[int] = (),
    peaks: Peaks | None = None,
) -> Iterator[Worker]:
    """Start a worker and hand it its task.

    Args:
        launcher: starts it.
        task: what it is to do.
        allowed_s: seconds that it may be at work in all.
        side: where it comes from.
        cores: where it runs, if anywhere in particular.
        peaks: samples what it holds until it has warmed up.
    """
    started_s = time.perf_counter()
    command = worker_command(side.python)
    with (
        pipe_output() as words,
        start_piped(
            launcher, command, cwd=task.folder, words=words, cores=cores, path=side.import_path
        ) as child,
    ):
        with suppress(BrokenPipeError):  # it died at once; that it gives no report will tell
            child.sink.write(task.to_json().encode() + b"\n")
        if not task.paced:
            child.sink.close()
        watch = Watch(launcher, child, started_s + allowed_s, peaks)
        yield Worker(launcher, child, watch, started_s, is_paced=task.paced)


def run_worker(  # noqa: PLR0913  what a worker is run with
    launcher: Launcher,
    task: Task,
    deadline_s: float,
    *,
    side: BuiltVariant,
    keep: Sequence[int],
    cores: Sequence[int] = (),
    peaks: Peaks | None = None,
    heed: Callable[[Event], None] | None = None,
) -> WorkerExit:
    """Run one worker, at most ``deadline_s`` seconds from its start, and end whatever is left of it.

    What runs below the processes to keep is spared. The worker runs on ``cores``, if there are any.
    ``peaks`` samples what it holds until it has warmed up.
    ``heed`` is told of every event of a *live* task.
    """
    with started(launcher, task, deadline_s, side=side, cores=cores, peaks=peaks) as worker:
        worker.hear(heed)
        return worker.end(keep)
