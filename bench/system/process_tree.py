"""Which processes there are below one, from ``/proc``."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_HAS_CHILDREN_FILES: Final = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists()


def descendants(ancestor: int) -> list[int]:
    """Return the ids of all processes below one, from ``/proc``; zombies do not count.

    Empty where there is no ``/proc``: there only process groups can be killed.
    """
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(encoding="ascii", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        # the name, in parentheses, may hold spaces and parentheses itself
        state, parent = text.rpartition(")")[2].split()[:2]
        if state != "Z":
            children.setdefault(int(parent), []).append(int(stat.parent.name))
    found: list[int] = []
    waiting = [ancestor]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def tree(root: int) -> list[int]:
    """Return a process and all below it, as far as they have not ended."""
    if not _HAS_CHILDREN_FILES:
        return [root, *descendants(root)]
    found = [root]
    for pid in found:
        found += children(pid)
    return found


def children(pid: int) -> list[int]:
    """Return the processes that one has to bury: those it started or adopted, until it has waited for them.

    Unlike ``descendants`` this is no walk through ``/proc`` that a process might slip through which forks and
    ends meanwhile: until it is buried it is there itself, and after its end its child is.
    """
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:  # it has ended meanwhile
        return []
    return [child for thread in threads for child in _children_of_thread(thread)]


def _children_of_thread(thread: Path) -> list[int]:
    try:
        return [int(child) for child in (thread / "children").read_text("ascii").split()]
    except OSError:  # it has ended meanwhile
        return []


_SET: Final = 36
_GET: Final = 37


@contextmanager
def become_subreaper() -> Iterator[None]:
    """Become the parent of every orphan below this process for as long as the context lasts."""
    if sys.platform != "linux":
        yield
        return
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    before = ctypes.c_int()
    prctl(_GET, ctypes.byref(before), 0, 0, 0)
    prctl(_SET, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(_SET, before.value, 0, 0, 0)
