"""Say in one line how much other processes used the machine during a run, if it was busy."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from bench.model.results import Conditions, Measurement, Run
from bench.model.text import join_and, printable
from bench.report.number_format import format_percent

BUSY: Final = 0.1
"""Cores that others use on average; an idle machine in the cloud shows up to half of it."""
_FULL: Final = 0.05
"""Share of the processors that is idle at most while all are fully used."""


def busy_machine_lines(run: Run) -> Iterator[str]:
    """Yield a line if other processes used the processors of the trials; none on a quiet machine."""
    known = [
        (trial, trial.conditions)
        for trial in run.trials
        if trial.outcome == "ok" and trial.conditions is not None
    ]
    took_s = math.fsum(trial.took_s for trial, _ in known)
    if not took_s:
        return
    others = math.fsum(trial.took_s * found.strangers for trial, found in known) / took_s
    if others < BUSY:
        return
    cores = _trial_cores(run)
    place = f"CPU{'s' if len(cores) > 1 else ''} {join_and(cores)}" if cores else "this machine"
    words = f"Busy machine: other processes used {others:.2g} cores of {place}{_names(run)}"
    if _is_full(known, took_s, len(cores)):
        words += ", which were fully used"
    if (waited := _waited_share(known, others)) is not None:
        words += f"; the downloads waited about {format_percent(waited)} of their time for a CPU"
    yield printable(f"{words}. Intervals are wider for it.")


def _trial_cores(run: Run) -> list[str]:
    """Return the numbers of the processors of server and worker; empty if they were not pinned."""
    match run.environment.get("pinning"):
        case {"server": [*server], "worker": [*worker]}:
            return [str(number) for number in sorted({int(each) for each in (*server, *worker)})]
    return []


def _names(run: Run) -> str:
    """Name the greatest users, with their shares of one core."""
    others = run.others
    if others is None or others.lasted_s <= 0:
        return ""
    shares = [(each.name, each.cpu_s / others.lasted_s) for each in others.processes]
    if others.rest_s > _FULL * others.lasted_s:
        shares.append(("ended processes", others.rest_s / others.lasted_s))
    return f" ({', '.join(f'{name} {share:.0%}' for name, share in shares)})" if shares else ""


def _is_full(known: Sequence[tuple[Measurement, Conditions]], took_s: float, cores: int) -> bool:
    """Tell whether hardly any processor was idle; not known for runs before this was measured."""
    idle = [trial.took_s * found.idle for trial, found in known if found.idle is not None]
    return len(idle) == len(known) and math.fsum(idle) / took_s < _FULL * max(1, cores)


def _waited_share(known: Sequence[tuple[Measurement, Conditions]], others: float) -> float | None:
    """Return the share of the timed rounds that was waited for a processor; None if it is unknown.

    Threads that ended within their round are missing. A thread also waits for those of its own process, so
    the time that others used is a limit.
    """
    waits_s = [
        found.worker_waited_s + (found.server_waited_s or 0.0)
        for _, found in known
        if found.worker_waited_s is not None
    ]
    timed_s = math.fsum(each.elapsed_s * each.calls for trial, _ in known for each in trial.rounds)
    if not waits_s or len(waits_s) < len(known) or not timed_s:
        return None
    return min(math.fsum(waits_s) / timed_s, others, 1.0)
