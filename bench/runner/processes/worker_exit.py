"""How a worker ended, and what that says of its trial."""

import signal
from dataclasses import dataclass
from pathlib import Path

from bench.model.results import Invalid
from bench.worker.protocol import Report


@dataclass(frozen=True, slots=True)
class WorkerExit:
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


def exit_problem(ending: WorkerExit, deadline_s: float, strategy_file: Path) -> Invalid | None:
    """Return why a worker's trial failed, with the place in the strategy's file; ``None`` if it did not."""
    if not ending.in_time:
        place = _place(ending.words, strategy_file)
        return Invalid("timeout", f"not done after {deadline_s:g} s{place}")
    if (report := ending.report) is not None:
        return None if report.outcome == "ok" else Invalid(report.outcome, report.detail)
    if ending.nonsense:
        return Invalid("error", f"wrote into its report: {ending.nonsense}")
    if ending.status is not None and ending.status < 0:
        place = _place(ending.words, strategy_file)
        return Invalid("crash", f"killed by {_signal_name(-ending.status)}{place}")
    last = f": {ending.words[-1].strip()}" if ending.words else ""
    return Invalid("crash", f"left with exit status {ending.status} before its report{last}")


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
