"""The threads and open descriptors of processes."""

from collections.abc import Mapping, Sequence
from pathlib import Path


def sample(pids: Sequence[int]) -> Mapping[str, float]:
    """Count both over processes, those that have ended left out."""
    return {**_counted("threads", "task", pids), **_counted("descriptors", "fd", pids)}


def _counted(name: str, folder: str, pids: Sequence[int]) -> Mapping[str, float]:
    known = [count for pid in pids if (count := _entries(Path(f"/proc/{pid}/{folder}"))) is not None]
    return {name: float(sum(known))} if known else {}


def _entries(folder: Path) -> int | None:
    try:
        return sum(1 for _ in folder.iterdir())
    except OSError:  # it has ended meanwhile
        return None
