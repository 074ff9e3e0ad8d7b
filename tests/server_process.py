"""A flag server as a child of the tests, where no guardian is needed to look after it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.bundle import import_path
from bench.server.control import FlagServer
from bench.server.launch import server_command
from bench.server.settings import ServerSettings

_PATIENCE_S: Final = 5.0


def server_environment() -> dict[str, str]:
    """Return this process's environment, with our own ``bench`` on the path."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(import_path())}


@contextmanager
def server_process(*prefix: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server's process, perhaps under a command such as taskset, and make sure that it ends."""
    command = (*prefix, *server_command())
    environment = server_environment()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def handle(process: subprocess.Popen[bytes], reply_limit_s: float = 10.0) -> FlagServer:
    """Take hold of a server's process."""
    return FlagServer(process.stdin, process.stdout, reply_limit_s=reply_limit_s)  # type: ignore[arg-type]


@contextmanager
def running_server(settings: ServerSettings, *prefix: str) -> Iterator[FlagServer]:
    """Run a flag server for as long as the context lasts."""
    with server_process(*prefix) as process:
        server = handle(process)
        server.start(settings)
        yield server
        server.stop()
        process.wait(_PATIENCE_S)
