"""List the processes below one, from ``/proc``, and adopt their orphans."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from threading import Thread
from typing import Final

_HAS_CHILDREN_FILES: Final = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists()
_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_GET_CHILD_SUBREAPER: Final = 37
_ID_LIMIT: Final = 1 << 22
"""Ids of processes on Linux stay below it (proc_sys_kernel(5)); then the lowest free ones come again."""


def lists_processes() -> bool:
    """Tell whether ``/proc`` lists this process by its own id; that of another namespace has other ids."""
    try:
        return os.readlink("/proc/self") == str(os.getpid())  # noqa: PTH115  asked before each search
    except OSError:
        return False


def descendants(ancestor: int) -> list[int]:
    """Return the ids of all processes below one; zombies do not count.

    Empty where ``/proc`` does not list them; ``find_children`` and process groups have to do there.
    """
    if not lists_processes():
        return []
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue  # it ended meanwhile, or is another user's and hidden
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
    """Return the ids of a process and all below it that have not ended; none that ``/proc`` does not list."""
    if not lists_processes():
        return []
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
    if not lists_processes():
        return []
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


def find_children(since: int) -> list[int]:
    """Return the running children of this process with ids from ``since`` on, without ``/proc``.

    Each id up to the newest is tried, as Linux gives them in turn; empty on other systems. Adopted orphans
    are children, too; processes below a child are not.
    """
    if sys.platform != "linux":
        return []
    newest = _take_newest_id()
    wanted = [range(since, newest)] if since < newest else [range(since, _ID_LIMIT), range(2, newest)]
    return [pid for pid in chain.from_iterable(wanted) if _is_running_child(pid)]


def _take_newest_id() -> int:
    """Return the newest id; threads have theirs from the same counter."""
    thread = Thread(target=int)
    thread.start()
    thread.join()
    return thread.native_id or _ID_LIMIT


def _is_running_child(pid: int) -> bool:
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False


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
