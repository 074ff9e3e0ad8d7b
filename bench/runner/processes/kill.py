"""Killing processes until none of them is left."""

import os
import signal
import time
from collections.abc import Callable, Collection
from typing import Final

_PATIENCE_S: Final = 2.0


def kill_all(find: Callable[[], Collection[int]], reap: Callable[[Collection[int]], None]) -> None:
    """Kill what there is to find, and bury it, until there is nothing.

    A process may fork while it is being killed, hence the loop; what cannot be killed within two seconds is
    in the kernel's hands.
    """
    patience = time.monotonic() + _PATIENCE_S
    while time.monotonic() < patience:
        doomed = find()
        if not doomed:
            return
        for pid in doomed:
            _kill(pid)
        time.sleep(0.001)
        reap(doomed)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # it is gone, or has become another user's
        return
