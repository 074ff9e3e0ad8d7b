"""Run the flag server as a child process. Used by the runner, which restarts it after a crash."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from bench.model.server_settings import ServerSettings
from bench.runner.processes.child_process import Child, capture_to_file, start_child
from bench.runner.processes.launcher import Launcher
from bench.server.control_client import FlagServer, server_command

_STDERR: Final = "server.txt"
"""File name in the workspace."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A flag server that is ready, and its process."""

    handle: FlagServer
    child: Child

    @property
    def pids(self) -> tuple[int, ...]:
        """Its processes: those that are no strategy's, and whose processor time is no stranger's."""
        return (self.child.pid,)


@contextmanager
def start_server(
    launcher: Launcher, settings: ServerSettings, cores: Sequence[int] = ()
) -> Iterator[RunningServer]:
    """Start a flag server on a free loopback port, optionally on certain cores; stop it on leaving.

    Raises:
        SetupError: it cannot start.
    """
    workspace = launcher.workspace
    with (
        capture_to_file(workspace / _STDERR) as stderr,
        start_child(launcher, server_command(), stderr, cwd=workspace, cores=cores) as child,
    ):
        handle = FlagServer(child.stdin, child.stdout)
        handle.start(settings)
        yield RunningServer(handle, child)
