"""The flag server as a child of the guardian, with its control pipes in our hands."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench.runner.launch import Launcher
from bench.runner.piped import Child, piped
from bench.server.control import FlagServer, server_command
from bench.server.settings import ServerSettings


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
    printed = launcher.workspace / "server.txt"
    with piped(launcher, server_command(), cwd=launcher.workspace, printed=printed, cores=cores) as child:
        handle = FlagServer(child.sink, child.source)
        handle.start(settings)
        yield RunningServer(handle, child)
