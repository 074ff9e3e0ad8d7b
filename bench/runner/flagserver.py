"""The flag server as a child of the guardian, with its control pipes in our hands."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.runner.launch import Launcher
from bench.server.control import FlagServer
from bench.server.launch import server_command
from bench.server.settings import ServerSettings


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A flag server that answers, and its process id."""

    handle: FlagServer
    pid: int


@contextmanager
def serving(launcher: Launcher, settings: ServerSettings) -> Iterator[RunningServer]:
    """Start a flag server on a free port of the loopback interface; stop it on leaving.

    Raises:
        EnvironmentFault: it cannot start.
    """
    requests, to_server = os.pipe()
    from_server, replies = os.pipe()
    words = (launcher.workspace / "server.txt").open("ab")
    try:
        pid = launcher.spawn(
            server_command(), cwd=launcher.workspace, stdin=requests, stdout=replies, stderr=words.fileno()
        )
    finally:
        os.close(requests)
        os.close(replies)
        words.close()
    with os.fdopen(to_server, "wb", buffering=0) as sink, os.fdopen(from_server, "rb", buffering=0) as source:
        handle = FlagServer(sink, source)
        handle.start(settings)
        yield RunningServer(handle, pid)
