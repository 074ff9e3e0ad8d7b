"""One trial: start a worker, hand it its task, and say how it ended."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.machine.probes import Peaks
from bench.measurement import Outcome
from bench.runner.launch import Launcher
from bench.runner.piped import Child, piped
from bench.runner.plausibility import checked
from bench.runner.words import heard
from bench.wire import MalformedError
from bench.worker.live import Event, WarmedUp, read_event
from bench.worker.protocol import Report, Task, worker_command

_SAMPLE_EVERY_S: Final = 0.005
"""While a worker warms up, and never while it is timed."""
_PATIENCE_S: Final = 2.0
"""What a worker may take to leave after it has reported."""
_GRACE_S: Final = 0.1
"""What processes that a worker started may take to end after it: they learn of its end from a pipe."""
_LONGEST_BYTES: Final = 16 << 20
"""Of a line that a worker writes; the report of a trial of 100,000 fetches is a tenth of it at the most."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a worker ended.

    Attributes:
        started_s: ``time.perf_counter()`` when its process was asked for.
        report: its own account, ``None`` where it gave none.
        status: its exit status, negative for a signal; ``None`` if even SIGKILL did not end it.
        in_time: whether it reported or ended before the deadline.
        nonsense: what was wrong with what it reported, empty if nothing was.
        words: the last lines it printed.
        processes_left: how many processes it left behind.
        ended_s: ``time.perf_counter()`` when nothing of it was left.
    """

    started_s: float
    report: Report | None
    status: int | None
    in_time: bool
    nonsense: str
    words: tuple[str, ...]
    processes_left: int
    ended_s: float


def run_worker(  # noqa: PLR0913  what a worker is run with
    launcher: Launcher,
    task: Task,
    deadline_s: float,
    *,
    keep: tuple[int, ...],
    cores: Sequence[int] = (),
    peaks: Peaks | None = None,
    heed: Callable[[Event], None] | None = None,
) -> Ending:
    """Run one worker, at most ``deadline_s`` seconds from its start, and end whatever is left of it.

    What runs below the processes to keep is spared. The worker runs on ``cores``, if there are any.
    ``peaks`` samples what it holds until it has warmed up.
    ``heed`` is told of every event of a *live* task.
    """
    started_s = time.perf_counter()
    report: Report | None = None
    in_time, nonsense = True, ""
    with (
        heard() as words,
        piped(launcher, worker_command(), cwd=task.folder, words=words, cores=cores) as child,
    ):
        with suppress(BrokenPipeError):  # it died at once; that it gives no report will tell
            child.sink.write(task.to_json().encode())
        child.sink.close()
        try:
            watch = Watch(launcher, child, started_s + deadline_s, peaks)
            for line in watch.lines():
                match read_event(line):
                    case Report() as said:
                        report = checked(said)
                        break
                    case WarmedUp():
                        watch.leave_alone()
                    case event if heed is not None:
                        heed(event)
        except TimeoutError:
            in_time = False
        except MalformedError as error:
            nonsense = error.what
        status = launcher.exit_status(child.pid, _PATIENCE_S if report else 0)
        if status is None:
            status = launcher.end(child.pid)
        processes_left = launcher.sweep(keep, _GRACE_S if report else 0.0)
        last_words = words.last()
    return Ending(
        started_s, report, status, in_time, nonsense, last_words, processes_left, time.perf_counter()
    )


def verdict(ending: Ending, deadline_s: float, strategy_file: Path) -> tuple[Outcome, str]:
    """Say in one word, and in words, how a trial ended; places are those within the strategy's file."""
    if not ending.in_time:
        return "timeout", f"not done after {deadline_s:g} s{_place(ending.words, strategy_file)}"
    if ending.report is not None:
        return ending.report.outcome, ending.report.detail
    if ending.nonsense:
        return "error", f"wrote into its report: {ending.nonsense}"
    if ending.status is not None and ending.status < 0:
        return "crash", f"killed by {_signal_name(-ending.status)}{_place(ending.words, strategy_file)}"
    last = f": {ending.words[-1].strip()}" if ending.words else ""
    return "crash", f"left with exit status {ending.status} before its report{last}"


class Watch:
    """Waiting for what a worker writes, until it has ended or its deadline has come."""

    def __init__(self, launcher: Launcher, child: Child, deadline_s: float, peaks: Peaks | None) -> None:
        self._launcher = launcher
        self._child = child
        self._deadline_s = deadline_s
        self._peaks = peaks if peaks is not None and peaks.is_watching else None

    def leave_alone(self) -> None:
        """Sample nothing from now on."""
        self._peaks = None

    def lines(self) -> Iterator[bytes]:
        """Yield each line, until the worker has ended.

        End of file is not waited for: a child of the strategy may hold the pipe open for ever.

        Raises:
            TimeoutError: the deadline, by ``time.perf_counter()``, came first.
            MalformedError: a line does not end.
        """
        launcher, child = self._launcher, self._child
        unread, reports = bytearray(), child.source.fileno()
        while True:
            left_s = self._deadline_s - time.perf_counter()
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


def _place(words: tuple[str, ...], file: Path) -> str:
    """Name the innermost line of the strategy's file in the dump that faulthandler left, if there is one."""
    frames = [line.strip() for line in words if line.startswith("  File ")]
    place = next((frame for frame in frames if f'"{file}"' in frame), next(iter(frames), ""))
    return f", at {place.replace(str(file), file.name)}" if place else ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
