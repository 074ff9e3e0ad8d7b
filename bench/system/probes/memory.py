"""The memory of processes, in bytes; what they share counts once (*proportional set size*, proc(5))."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_KIB: Final = 1024
_KEYS: Final = (("smaps_rollup", "Pss:"), ("status", "VmRSS:"))
"""Where the kernel keeps no account of what is shared, the resident size has to do."""


def sample(pids: Sequence[int]) -> Mapping[str, float]:
    """Add up the memory of processes, those that have ended left out."""
    known = [size for pid in pids if (size := _proportional_bytes(pid)) is not None]
    return {"memory_bytes": float(sum(known))} if known else {}


def _proportional_bytes(pid: int) -> int | None:
    for file, key in _KEYS:
        try:
            lines = Path(f"/proc/{pid}/{file}").read_text("ascii", "replace").splitlines()
        except OSError:  # it has ended, or the kernel keeps no such account
            continue
        found = next((line for line in lines if line.startswith(key)), None)
        if found is not None:
            return int(found.split()[1]) * _KIB
    return None
