"""Read how long threads were ready to run and got no processor. Used around each round.

Threads that end within a round, as those of a pool do, cannot be read any more: the time is a lower bound.
It also holds the time that a thread waited for others of its own process.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

_NANOSECOND_S: Final = 1e-9


def read_run_delays(process: int | str) -> Mapping[str, int] | None:
    """Return the nanoseconds that each thread of a process waited for a processor; None if unknown.

    Args:
        process: its id, or ``self``.
    """
    folder = Path(f"/proc/{process}/task")
    try:
        threads = list(folder.iterdir())
    except OSError:  # there is no /proc, or the process has ended
        return None
    delays = {thread.name: delay for thread in threads if (delay := _read_delay(thread)) is not None}
    return delays or None


def run_delay_s(before: Mapping[str, int] | None, after: Mapping[str, int] | None) -> float | None:
    """Return the seconds that the threads of the second reading waited since the first; None if unknown."""
    if before is None or after is None:
        return None
    return sum(max(0, delay - before.get(thread, 0)) for thread, delay in after.items()) * _NANOSECOND_S


def _read_delay(thread: Path) -> int | None:
    try:
        return int((thread / "schedstat").read_bytes().split()[1])
    except (OSError, IndexError):  # the thread has ended, or the kernel does not count
        return None
