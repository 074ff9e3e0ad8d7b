"""The flag server as a child of the guardian, with its control pipes in our hands."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from bench.model.server_settings import ServerSettings
from bench.runner.processes.child_process import Child, start_piped
from bench.runner.processes.launcher import Launcher
from bench.runner.processes.output import file_output
from bench.server.control_client import FlagServer, server_command

SERVER_WORDS: Final = "server.txt"
"""The file of the workspace that takes what the server prints."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A flag server that answers, and its process."""

    handle: FlagServer
    child: Child


@contextmanager
def serving(
    launcher: Launcher, settings: ServerSettings, cores: Sequence[int] = ()
) -> Iterator[RunningServer]:
    """Start a flag server on a free port of the loopback interface; stop it on leaving.

    It runs on these cores, if there are any.

    Raises:
        EnvironmentFault: it cannot start.
    """
    workspace = launcher.workspace
    with (
        file_output(workspace / SERVER_WORDS) as words,
        start_piped(launcher, server_command(), cwd=workspace, words=words, cores=cores) as child,
    ):
        handle = FlagServer(child.sink, child.source)
        handle.start(settings)
        yield RunningServer(handle, child)
