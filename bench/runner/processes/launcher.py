"""Start, signal and end processes through the supervisor. Used by the runner for all processes of a run."""

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
from bench.runner.processes import supervisor
from bench.runner.processes.workspace import fresh_workspace
from bench.system.paths import import_path, join_import_path
from bench.system.process_tree import become_subreaper, children, descendants, find_children, lists_processes

_INHERITED: Final = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ")
"""Environment variables that a child inherits; the others may hold secrets, or proxies."""
_TERM_GRACE_S: Final = 1.0


def child_environment(environment: Mapping[str, str], path: Sequence[str] = ()) -> dict[str, str]:
    """Return the environment of a child, with an import path that leads to ``bench``, by default our own.

    ``PYTHONDONTWRITEBYTECODE`` is not inherited: it would make every worker compile its imports.

    Raises:
        SetupError: a folder cannot be on an import path.
    """
    inherited = {name: value for name, value in environment.items() if name in _INHERITED}
    return {**inherited, "PYTHONPATH": join_import_path(path or import_path()), "PYTHONUTF8": "1"}


class Launcher:
    """The runner's end of the socket to the supervisor.

    Attributes:
        workspace: a fresh temporary folder that the supervisor removes when the runner is gone.
    """

    def __init__(self, supervisor_socket: socket.socket, workspace: Path) -> None:
        self._socket = supervisor_socket
        self._unread = b""
        self._exits: dict[int, int] = {}
        self._started: set[int] = set()
        self.workspace = workspace

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when a child has ended."""
        return self._socket.fileno()

    def spawn(
        self,
        argv: Sequence[str],
        stdio: Sequence[int],
        *,
        cwd: Path,
        cores: Sequence[int] = (),
        path: Sequence[str] = (),
    ) -> int:
        """Start a process in its own session, and return its id.

        Args:
            argv: the command.
            stdio: the descriptors of its standard input, output and error.
            cwd: its current folder.
            cores: its CPU affinity; empty for all cores.
            path: import path with ``bench`` on it; empty for our own.

        Raises:
            SetupError: it cannot be started.
        """
        spawn = {
            "argv": list(argv),
            "cwd": str(cwd),
            "cores": list(cores),
            "env": child_environment(os.environ, path),
        }
        reply = self._request({"spawn": spawn}, *stdio)
        if "spawned" not in reply:
            raise SetupError(f"cannot start {argv[0]}: {reply['error']}")
        pid = int(reply["spawned"])
        self._started.add(pid)
        return pid

    def exit_status(self, pid: int, timeout_s: float) -> int | None:
        """Wait for a child's end and return its status, negative for a signal; None if it still runs."""
        deadline_s = time.monotonic() + timeout_s
        while pid not in self._exits:
            left_s = max(0.0, deadline_s - time.monotonic())
            if b"\n" not in self._unread and not select.select([self._socket], [], [], left_s)[0]:
                return None
            self._receive()
        return self._exits[pid]

    def signal(self, pid: int, number: int) -> None:
        """Send a signal to a child's process group."""
        self._request({"signal": number, "pid": pid})

    def end(self, pid: int) -> int | None:
        """End a child's process group by SIGTERM, or by SIGKILL after a grace period; return its status."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.signal(pid, number)
            status = self.exit_status(pid, _TERM_GRACE_S)
            if status is not None:
                return status
        return None

    def sweep(self, keep: Sequence[int], grace_s: float = 0.0) -> int:
        """Kill all children except ``keep``, with all their descendants.

        Return the number of processes that were left after a grace period in which they may end themselves.
        """
        return int(self._request({"sweep": list(keep), "grace_s": grace_s})["swept"])

    def cpu_s(self) -> float:
        """Return the CPU time of the supervisor and of all finished processes below it, in seconds."""
        return float(self._request({"used": "cpu_s"})["used"])

    def major_faults(self) -> int:
        """Return how often the supervisor and finished processes below it waited for a page from a disk."""
        return int(self._request({"used": "major_faults"})["used"])

    def kill_started(self) -> None:
        """Kill the children that have not ended, without the help of the supervisor."""
        for pid in self._started - self._exits.keys():
            with suppress(ProcessLookupError, PermissionError):  # macOS denies it to a group of zombies
                os.killpg(pid, signal.SIGKILL)

    def _request(self, request: Mapping[str, Any], *descriptors: int) -> dict[str, Any]:
        message = json.dumps(request).encode() + b"\n"
        try:
            sent = socket.send_fds(self._socket, [message], descriptors)
            self._socket.sendall(message[sent:])
        except OSError as error:
            raise _supervisor_died() from error
        while (reply := self._receive()) is None:
            pass
        return reply

    def _receive(self) -> dict[str, Any] | None:
        """Read one message; record the end of a child and return None, or return the reply."""
        while b"\n" not in self._unread:
            part = self._socket.recv(65536)
            if not part:
                raise _supervisor_died()
            self._unread += part
        line, _, self._unread = self._unread.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        if "exited" in message:
            self._exits[message["exited"]] = message["status"]
            return None
        if "spawned" in message:
            # a process id that the system uses again must not be taken for the process that ended
            self._exits.pop(message["spawned"], None)
        return message


def _supervisor_died() -> SetupError:
    return SetupError("the supervisor process has died", hint="run again")


@contextmanager
def start_supervisor() -> Iterator[Launcher]:
    """Start a supervisor with a workspace; on leaving, kill all processes below it and remove the workspace.

    The runner is a subreaper, too: it adopts and kills the processes of a supervisor that was killed.

    Raises:
        SetupError: there is no space for the workspace, or no process can be started.
    """
    with ExitStack() as stack:
        try:
            ours, theirs = socket.socketpair()
            stack.enter_context(ours)
            stack.enter_context(theirs)
            workspace = stack.enter_context(fresh_workspace())
            stack.enter_context(become_subreaper())
            others = {*descendants(os.getpid())}
            launcher = Launcher(ours, workspace)
            process = _start_supervisor(theirs, workspace)
            # an interrupt before this line is harmless: the supervisor ends when its socket is closed
            stack.callback(_end_supervisor, process, ours, launcher, others)
        except OSError as error:
            reason = describe_process_limit(error) or error
            raise SetupError(f"cannot start the supervisor process: {reason}") from error
        theirs.close()
        yield launcher


def _start_supervisor(theirs: socket.socket, workspace: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", supervisor.__name__, str(theirs.fileno()), str(workspace)]
    return subprocess.Popen(  # noqa: S603  our own module, no shell
        command,
        env=child_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
    )


def _end_supervisor(
    process: "subprocess.Popen[bytes]", ours: socket.socket, launcher: Launcher, others: Collection[int]
) -> None:
    """Close the socket, which ends the supervisor; do its work if it was killed."""
    ours.close()
    if process.wait() != 0:
        launcher.kill_started()
        _kill_orphans(process.pid, others)


def _kill_orphans(supervisor_pid: int, others: Collection[int]) -> None:
    """Kill all processes below this one except ``others``, regardless of their session."""

    def find() -> set[int]:
        if not lists_processes():
            return {*find_children(supervisor_pid)}
        kept = {pid for other in others for pid in (other, *descendants(other))}
        return {*descendants(os.getpid()), *children(os.getpid())} - kept

    supervisor.kill_all(find, _reap)


def _reap(pids: Collection[int]) -> None:
    for pid in pids:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
