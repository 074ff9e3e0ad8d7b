"""A flag server as a child of the tests, without a supervisor."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from bench.model.server_settings import ServerSettings
from bench.server.control_client import FlagServer, server_command
from bench.server.open_trials import trial_url
from bench.server.request_log import Record
from bench.system.paths import import_path

_TIME_OUT_S: Final = 5.0


class TestedServer(FlagServer):
    """A control client with the questions that only tests ask."""

    __test__ = False

    def round_url(self, trial: str, number: int) -> str:
        """Return the base URL of a round, as a worker builds it."""
        return f"{trial_url(self.base_url, trial)}.{number}"

    def records(self, trial: str) -> Mapping[int, list[Record]]:
        """Return every request of an open trial whose response has ended, by round."""
        rounds = self._ask({"records": trial})["rounds"]
        return {int(number): [Record(*record) for record in records] for number, records in rounds.items()}

    def handshakes(self, trial: str) -> "HandshakeCounts":
        """Return the handshakes at the listener of an open trial, since it was opened."""
        said = self._ask({"handshakes": trial})
        return HandshakeCounts(said["begun"], said["failed"])


@dataclass(frozen=True, slots=True)
class HandshakeCounts:
    """The handshakes at the listener of a trial."""

    begun: int
    failed: int


def server_environment() -> dict[str, str]:
    """Return this process's environment, with our own ``bench`` on the path."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(import_path())}


@contextmanager
def server_process(*prefix: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server's process, under a command such as taskset if given, and kill it at the end."""
    command = (*prefix, *server_command())
    environment = server_environment()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def control(process: subprocess.Popen[bytes], reply_limit_s: float = 10.0) -> TestedServer:
    """Return the control client of a server's process."""
    return TestedServer(process.stdin, process.stdout, reply_limit_s=reply_limit_s)  # type: ignore[arg-type]


@contextmanager
def running_server(settings: ServerSettings, *prefix: str) -> Iterator[TestedServer]:
    """Run a flag server, and stop it by closing its pipe."""
    with server_process(*prefix) as process:
        server = control(process)
        server.start(settings)
        yield server
        close_pipe(process)
        process.wait(_TIME_OUT_S)


def close_pipe(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe of a server's commands, even if the server has ended."""
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.close()
