"""How a worker ended, and what that says of its trial."""

import signal
from dataclasses import dataclass
from pathlib import Path

from bench.model.trial_outcome import Outcome
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


def exit_problem(ending: WorkerExit, deadline_s: float, strategy_file: Path) -> tuple[Outcome, str]:
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
