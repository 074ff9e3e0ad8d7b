"""List the processes below one, from ``/proc``, and adopt their orphans."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_HAS_CHILDREN_FILES: Final = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists()
_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_GET_CHILD_SUBREAPER: Final = 37


def descendants(ancestor: int) -> list[int]:
    """Return the ids of all processes below one; zombies do not count.

    Empty where there is no ``/proc``: only process groups can be killed there.
    """
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(encoding="ascii", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
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


def process_and_descendants(root: int) -> list[int]:
    """Return the ids of a process and all below it that have not ended."""
    if not _HAS_CHILDREN_FILES:
        return [root, *descendants(root)]
    found = [root]
    for pid in found:
        found += children(pid)
    return found


def children(pid: int) -> list[int]:
    """Return the processes that one started or adopted, zombies included, until it has waited for them.

    A process that forks and ends can slip through ``descendants``, which walks through ``/proc``, but not
    through this: until it is waited for it is listed itself, and after its end its child is.
    """
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:  # it ended meanwhile
        return []
    return [child for thread in threads for child in _children_of_thread(thread)]


def _children_of_thread(thread: Path) -> list[int]:
    try:
        return [int(child) for child in (thread / "children").read_text("ascii").split()]
    except OSError:  # it ended meanwhile
        return []


@contextmanager
def become_subreaper() -> Iterator[None]:
    """Adopt every orphan below this process for as long as the context lasts (prctl(2))."""
    if sys.platform != "linux":
        yield
        return
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    before = ctypes.c_int()
    prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before), 0, 0, 0)
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, before.value, 0, 0, 0)
