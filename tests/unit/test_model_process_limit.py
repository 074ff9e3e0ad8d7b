"""Recognising that a limit of threads and processes was reached."""

import errno
import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import NoReturn

import pytest

from bench.model.process_limit import describe_process_limit


def refuse(*_: object) -> NoReturn:
    """Raise the error of fork(2) at a limit of processes."""
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def start_subprocess() -> None:
    """Start a process with ``subprocess``."""
    subprocess.run([sys.executable, "-c", ""], check=True)


def start_multiprocessing() -> None:
    """Start a process with ``multiprocessing``."""
    multiprocessing.get_context("fork").Process(target=int).start()


@pytest.mark.parametrize(
    ("call", "start"), [("subprocess._fork_exec", start_subprocess), ("os.fork", start_multiprocessing)]
)
def test_failed_start_of_a_process_names_the_limit(
    call: str, start: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subprocess._USE_VFORK", False)
    monkeypatch.setattr("subprocess._USE_POSIX_SPAWN", False)
    monkeypatch.setattr(call, refuse)
    with pytest.raises(BlockingIOError) as raised:
        start()
    description = describe_process_limit(raised.value)
    assert description is not None
    assert description.startswith("cannot start another process: the limit of threads and processes")


def test_failed_start_of_a_thread_names_the_limit() -> None:
    description = describe_process_limit(RuntimeError("can't start new thread"))
    assert description is not None
    assert description.startswith("cannot start another thread: the limit of threads and processes")


def test_limit_within_a_group_of_exceptions_is_named() -> None:
    inner = ExceptionGroup("unhandled errors in a TaskGroup", [RuntimeError("can't start new thread")])
    description = describe_process_limit(ExceptionGroup("outer", [ValueError("before"), inner]))
    assert description is not None
    assert description.startswith("cannot start another thread")


def test_empty_socket_and_other_errors_are_no_process_limit() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0)
        with pytest.raises(BlockingIOError) as raised:
            ours.recv(1)
    assert describe_process_limit(raised.value) is None
    assert describe_process_limit(RuntimeError("other")) is None
    assert describe_process_limit(OSError(errno.ENOENT, "other")) is None
