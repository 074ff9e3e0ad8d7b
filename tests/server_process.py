"""A flag server as a child of the tests, without a supervisor."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from bench.server.control_client import FlagServer, server_command
from bench.server.request_log import Record
from bench.server.settings import ServerSettings
from bench.server.trial_urls import trial_url
from bench.system.paths import import_path

_PATIENCE_S: Final = 5.0


class TestedServer(FlagServer):
    """A handle that can be asked for more than the harness needs to know."""

    __test__ = False

    def round_url(self, trial: str, number: int) -> str:
        """Return the base URL of one round of a trial, as a worker makes it."""
        return f"{trial_url(self.base_url, trial)}.{number}"

    def records(self, trial: str) -> Mapping[int, list[Record]]:
        """Return every request of an open trial whose answer has ended, by round."""
        rounds = self._ask({"records": trial})["rounds"]
        return {int(number): [Record(*record) for record in records] for number, records in rounds.items()}

    def handshakes(self, trial: str) -> "Seen":
        """Return the handshakes at the listener of an open trial, since it was opened."""
        said = self._ask({"handshakes": trial})
        return Seen(said["begun"], said["failed"])


@dataclass(frozen=True, slots=True)
class Seen:
    """How many handshakes there were at the listener of a trial, and how many failed."""

    begun: int
    failed: int


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


def handle(process: subprocess.Popen[bytes], reply_limit_s: float = 10.0) -> TestedServer:
    """Take hold of a server's process."""
    return TestedServer(process.stdin, process.stdout, reply_limit_s=reply_limit_s)  # type: ignore[arg-type]


@contextmanager
def running_server(settings: ServerSettings, *prefix: str) -> Iterator[TestedServer]:
    """Run a flag server for as long as the context lasts; the end of its pipe ends it."""
    with server_process(*prefix) as process:
        server = handle(process)
        server.start(settings)
        yield server
        hang_up(process)
        process.wait(_PATIENCE_S)


def hang_up(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe that a server listens to, if it still does."""
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.close()
