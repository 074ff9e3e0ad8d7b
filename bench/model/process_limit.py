"""Recognise that a limit of threads and processes was reached. Used by runner, worker and entry point."""

import errno
from traceback import walk_tb
from typing import Final

_STARTERS: Final = frozenset({"_execute_child", "_launch", "spawnv_passfds"})
"""Functions of ``subprocess`` and ``multiprocessing`` that start a process; sockets raise the same errno."""


def describe_process_limit(error: BaseException) -> str | None:
    """Name the limit that kept Python from starting a thread or process; return None for other errors."""
    if isinstance(error, RuntimeError) and str(error).startswith("can't start new thread"):
        kind = "thread"
    elif isinstance(error, OSError) and error.errno == errno.EAGAIN and _is_from_start_of_process(error):
        kind = "process"
    else:
        return None
    return f"cannot start another {kind}: the limit of threads and processes is reached (ulimit -u, pids.max)"


def _is_from_start_of_process(error: OSError) -> bool:
    return any(frame.f_code.co_name in _STARTERS for frame, _ in walk_tb(error.__traceback__))
