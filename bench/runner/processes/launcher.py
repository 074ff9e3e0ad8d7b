"""Starting and ending processes through the guardian, from the runner's side."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from bench.errors import SetupError
from bench.model.process_limit import describe_process_limit
from bench.runner.processes.kill import kill_all
from bench.runner.processes.workspace import fresh_workspace
from bench.system.paths import import_path
from bench.system.process_tree import become_subreaper, children, descendants

_ALLOWED: Final = frozenset({"HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ"})
"""What a child may know of the environment; secrets live in the rest, and proxies too."""
_TERM_PATIENCE_S: Final = 1.0


def child_environment(environment: Mapping[str, str], path: Sequence[str] = ()) -> dict[str, str]:
    """Return the environment of a child: what is allowed of ours, and where ``bench`` is found.

    That is on ``path``, or where our own is.
    ``PYTHONDONTWRITEBYTECODE`` is not passed on: it would make every worker compile its imports.
    """
    passed = {name: value for name, value in environment.items() if name in _ALLOWED}
    return {**passed, "PYTHONPATH": os.pathsep.join(path or import_path()), "PYTHONUTF8": "1"}


class Launcher:
    """The runner's end of the guardian's pipe.

    Attributes:
        workspace: a fresh temporary folder that the guardian removes when the runner is gone.
    """

    def __init__(self, guardian: socket.socket, workspace: Path) -> None:
        self._guardian = guardian
        self._unread = b""
        self._exits: dict[int, int] = {}
        self._started: set[int] = set()
        self.workspace = workspace

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when a child has ended."""
        return self._guardian.fileno()

    def spawn(  # noqa: PLR0913  what a process is started with
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        cores: Sequence[int],
        stdin: int,
        stdout: int,
        stderr: int,
        path: Sequence[str] = (),
    ) -> int:
        """Start a process in a session of its own, on these cores if there are any; return its id.

        It finds ``bench`` on ``path``, or else where ours is.

        Raises:
            EnvironmentFault: it could not be started.
        """
        spawn = {
            "argv": list(argv),
            "cwd": str(cwd),
            "cores": list(cores),
            "env": child_environment(os.environ, path),
        }
        reply = self._ask({"spawn": spawn}, stdin, stdout, stderr)
        if "spawned" not in reply:
            raise SetupError(f"cannot start {argv[0]}: {reply['error']}")
        pid = int(reply["spawned"])
        self._started.add(pid)
        return pid

    def exit_status(self, pid: int, patience_s: float) -> int | None:
        """Wait for a child's end and return its status, negative for a signal; ``None`` if it lives on."""
        deadline = time.monotonic() + patience_s
        while pid not in self._exits:
            left = max(0.0, deadline - time.monotonic())
            if b"\n" not in self._unread and not select.select([self._guardian], [], [], left)[0]:
                return None
            self._receive()
        return self._exits[pid]

    def signal(self, pid: int, number: int) -> None:
        """Send a signal to a child's process group."""
        self._ask({"signal": number, "pid": pid})

    def end(self, pid: int) -> int | None:
        """Ask a child's process group to end, then make it; return its status."""
        self.signal(pid, signal.SIGTERM)
        status = self.exit_status(pid, _TERM_PATIENCE_S)
        if status is None:
            self.signal(pid, signal.SIGKILL)
            status = self.exit_status(pid, _TERM_PATIENCE_S)
        return status

    def sweep(self, keep: Sequence[int], grace_s: float = 0.0) -> int:
        """Kill whatever is left of all children but those kept, grandchildren included.

        Return how many processes were left after a grace in which they might have gone by themselves.
        """
        return int(self._ask({"sweep": list(keep), "grace_s": grace_s})["swept"])

    def cpu_s(self) -> float:
        """Return the processor time of the guardian and of all that have ended below it, in seconds."""
        return float(self._ask({"used": "cpu_s"})["used"])

    def _ask(self, request: Mapping[str, Any], *descriptors: int) -> dict[str, Any]:
        message = json.dumps(request).encode() + b"\n"
        try:
            sent = socket.send_fds(self._guardian, [message], descriptors)
            self._guardian.sendall(message[sent:])
        except OSError as error:
            raise SetupError("the guardian process is gone", hint="run again") from error
        while True:
            reply = self._receive()
            if reply is not None:
                return reply

    def _receive(self) -> dict[str, Any] | None:
        """Read one message; note a child's end and return ``None``, or return the reply that it is."""
        while b"\n" not in self._unread:
            part = self._guardian.recv(65536)
            if not part:
                raise SetupError("the guardian process is gone", hint="run again")
            self._unread += part
        line, _, self._unread = self._unread.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        if "exited" in message:
            self._exits[message["exited"]] = message["status"]
            return None
        if "spawned" in message:
            # a number that the system uses again must not be taken for the process that ended
            self._exits.pop(message["spawned"], None)
        return message

    def kill_started(self) -> None:
        """Kill what was started and has not ended, without the guardian's help."""
        for pid in self._started - self._exits.keys():
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


@contextmanager
def launching() -> Iterator[Launcher]:
    """Start a guardian with a workspace; on leaving, everything below it ends and the workspace goes.

    What a guardian that is killed leaves becomes ours, and ends with it.

    Raises:
        EnvironmentFault: there is no room for the workspace, or no process to be had.
    """
    with ExitStack() as stack:
        try:
            ours, theirs = socket.socketpair()
            stack.enter_context(ours)
            stack.enter_context(theirs)
            workspace = stack.enter_context(fresh_workspace())
            stack.enter_context(become_subreaper())
            others = {*descendants(os.getpid())}
            guardian = stack.enter_context(_guardian(theirs, workspace))
        except OSError as error:
            reason = describe_process_limit(error) or error
            raise SetupError(f"cannot start the guardian process: {reason}") from error
        theirs.close()
        launcher = Launcher(ours, workspace)
        try:
            yield launcher
        finally:
            ours.close()
            if guardian.wait() != 0:
                launcher.kill_started()
                _kill_orphans(others)


def _kill_orphans(others: Collection[int]) -> None:
    """Kill what is below us and was not before, whatever session it has fled into."""

    def doomed() -> set[int]:
        spared = {pid for other in others for pid in (other, *descendants(other))}
        return {*descendants(os.getpid()), *children(os.getpid())} - spared

    kill_all(doomed, _bury)


def _bury(pids: Collection[int]) -> None:
    for pid in pids:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _guardian(theirs: socket.socket, workspace: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-P",
        "-m",
        "bench.runner.processes.supervisor",
        str(theirs.fileno()),
        str(workspace),
    ]
    return subprocess.Popen(  # noqa: S603  our own module, no shell
        command,
        env=child_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
    )
