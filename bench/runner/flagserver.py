"""The flag server as a child of the guardian, with its control pipes in our hands."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.runner.launch import Launcher
from bench.runner.trial import tail
from bench.server.control import FlagServer, server_command
from bench.server.settings import ServerSettings


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A flag server that answers, its process id, and where what it prints goes."""

    handle: FlagServer
    pid: int
    printed: Path

    def last_words(self) -> str:
        """Return the last line that it printed, as an addition to a message."""
        words = tail(self.printed)
        return f": {words[-1].strip()}" if words else ""


@contextmanager
def serving(launcher: Launcher, settings: ServerSettings) -> Iterator[RunningServer]:
    """Start a flag server on a free port of the loopback interface; stop it on leaving.

    Raises:
        EnvironmentFault: it cannot start.
    """
    requests, to_server = os.pipe()
    from_server, replies = os.pipe()
    printed = launcher.workspace / "server.txt"
    with os.fdopen(to_server, "wb", buffering=0) as sink, os.fdopen(from_server, "rb", buffering=0) as source:
        try:
            with printed.open("ab") as words:
                pid = launcher.spawn(
                    server_command(),
                    cwd=launcher.workspace,
                    stdin=requests,
                    stdout=replies,
                    stderr=words.fileno(),
                )
        finally:
            os.close(requests)
            os.close(replies)
        handle = FlagServer(sink, source)
        handle.start(settings)
        yield RunningServer(handle, pid, printed)
