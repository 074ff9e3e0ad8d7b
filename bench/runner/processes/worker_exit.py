"""The end of a worker process, and the problem that it shows. Used by the validation of trials."""

import signal
from dataclasses import dataclass, replace
from pathlib import Path

from bench.model.trial_outcome import Invalid
from bench.runner.processes.child_errors import find_child_error
from bench.worker.protocol import Report


@dataclass(frozen=True, slots=True)
class WorkerExit:
    """The end of a worker.

    Attributes:
        started_s: ``time.perf_counter()`` when its process was requested.
        report: its report; None if it did not write one.
        status: its exit status, negative for a signal; None if even SIGKILL did not end it.
        in_time: whether it reported or ended before the deadline.
        malformed: the reason why its output cannot be read, or None.
        stderr: the last lines of its stderr.
        processes_left: number of processes that it left behind.
        ended_s: ``time.perf_counter()`` when it had ended, and all processes below it.
    """

    started_s: float
    report: Report | None
    status: int | None
    in_time: bool
    malformed: str | None
    stderr: tuple[str, ...]
    processes_left: int
    ended_s: float


def find_exit_problem(
    ending: WorkerExit, deadline_s: float, strategy_file: Path, progress: str = ""
) -> Invalid | None:
    """Return the problem of a worker that failed or reported a failure, or None.

    Crashes and time-outs are located in the strategy's file if possible, and the error of a process that
    the strategy started is added.

    Args:
        ending: the end of the worker.
        deadline_s: its time limit.
        strategy_file: the file in which to locate it.
        progress: how far it had got if it exceeded the limit, after the limit in the message.
    """
    problem = _find_problem(ending, deadline_s, strategy_file, progress)
    if problem is None or not (error := find_child_error(problem.detail, ending.stderr, strategy_file)):
        return problem
    return replace(problem, detail=f"{problem.detail}; in a child process: {error}")


def _find_problem(
    ending: WorkerExit, deadline_s: float, strategy_file: Path, progress: str
) -> Invalid | None:
    place = _place(ending.stderr, strategy_file)
    if not ending.in_time:
        return Invalid("timeout", f"not done after {deadline_s:g} s{progress}{place}")
    if ending.report is not None:
        outcome, detail = ending.report.outcome, ending.report.detail
        return None if outcome == "ok" else Invalid(outcome, detail)
    if ending.malformed:
        return Invalid("error", f"wrote into its report: {ending.malformed}")
    if ending.status is not None and ending.status < 0:
        return Invalid("crash", f"killed by {_signal_name(-ending.status)}{place}")
    last = f": {ending.stderr[-1].strip()}" if ending.stderr else ""
    return Invalid("crash", f"left with exit status {ending.status} before its report{last}")


def _place(stderr: tuple[str, ...], file: Path) -> str:
    """Name the innermost line of the strategy's file in a stack dump of faulthandler, if there is one."""
    frames = [line.strip() for line in stderr if line.startswith("  File ")]
    place = next((frame for frame in frames if f'"{file}"' in frame), next(iter(frames), ""))
    return f", at {place.replace(str(file), file.name)}" if place else ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
