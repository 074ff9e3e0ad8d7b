"""Find the checks that are impossible here, as ``/proc`` or the control groups are missing or hidden."""

import sys
from pathlib import Path
from typing import Final

from bench.system.cgroups import has_readable_groups
from bench.system.process_tree import lists_processes

_ROOT: Final = Path("/")
_OF_A_TRIAL: Final = ("proc/stat", "proc/vmstat")
"""A snapshot of the machine needs both."""
_OF_PROCESSES: Final = ("ports", "memory", "open descriptors")


def can_watch_processors(root: Path = _ROOT) -> bool:
    """Tell whether the processor time of other processes can be told from that of a trial."""
    return lists_processes() and all(_has_content(root / file) for file in _OF_A_TRIAL)


def find_blind_spots(root: Path = _ROOT) -> tuple[str, ...]:
    """Return the names of the checks that are impossible here; tests pass another ``root``."""
    watches = can_watch_processors(root)
    return (
        *(() if watches else ("use of the processors by others", "swapping", "sleep", "clock jumps")),
        *(() if watches and _has_content(root / "proc/net/netstat") else ("dropped connections",)),
        *(() if has_readable_groups(root) else ("CPU quotas",)),
        *(() if lists_processes() else _OF_PROCESSES),
        *(() if sys.platform == "linux" else ("processes that leave the process group of their worker",)),
    )


def _has_content(file: Path) -> bool:
    try:
        return bool(file.read_bytes())
    except OSError:
        return False
