"""Recognise that a limit of threads and processes was reached. Used by runner, worker and entry point."""

import errno
from traceback import walk_tb
from typing import Final

from bench.model.exception_groups import iterate_leaves

_STARTERS: Final = frozenset({"_execute_child", "_launch", "spawnv_passfds"})
"""Functions of ``subprocess`` and ``multiprocessing`` that start a process; sockets raise the same errno."""


def describe_process_limit(error: BaseException) -> str | None:
    """Name the limit that kept Python from starting a thread or process; return None for other errors."""
    kind = next((kind for each in iterate_leaves(error) if (kind := _missing_kind(each))), None)
    if kind is None:
        return None
    return f"cannot start another {kind}: the limit of threads and processes is reached (ulimit -u, pids.max)"


def _missing_kind(error: BaseException) -> str | None:
    if isinstance(error, RuntimeError) and str(error).startswith("can't start new thread"):
        return "thread"
    is_refused = isinstance(error, OSError) and error.errno == errno.EAGAIN
    return "process" if is_refused and _is_from_start_of_process(error) else None


def _is_from_start_of_process(error: BaseException) -> bool:
    return any(frame.f_code.co_name in _STARTERS for frame, _ in walk_tb(error.__traceback__))
