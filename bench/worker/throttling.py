"""Count how often a CPU quota stopped the control groups of this process. Used around each round."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

_COUNTER: Final = b"nr_throttled"


def count_throttled_periods(files: Iterable[Path]) -> int:
    """Add up ``nr_throttled`` of files ``cpu.stat``; a group that has gone counts nothing."""
    return sum(map(_read_counter, files))


def _read_counter(file: Path) -> int:
    try:
        lines = file.read_bytes().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(_COUNTER)), 0)
