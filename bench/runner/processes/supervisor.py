"""The supervisor: a small process between the runner and all processes of a run.

It starts children for the runner and adopts the orphans that they leave behind (it is a *subreaper*, see
prctl(2)). When the runner's end of the socket closes, for any reason, it kills all of them, removes the
workspace and exits. A parent-death signal alone would not do: it fires when the *thread* that started the
child ends, and grandchildren do not inherit it.

It replies to one request before it reads the next; ``exited`` messages may come in between. It imports
little more than the standard library and ``bench.model``, so that it starts quickly.
"""

import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from bench.model.process_limit import describe_process_limit
from bench.runner.protected_files import remove_tree
from bench.system.cpu_affinity import restrict_to
from bench.system.limits import raise_limit
from bench.system.process_tree import become_subreaper, children, descendants, find_children, lists_processes

_MAX_DESCRIPTORS: Final = 3
_KILL_TIMEOUT_S: Final = 2.0


class Supervisor:
    """The children of one runner."""

    def __init__(self, runner: socket.socket) -> None:
        self._runner = runner
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._groups: set[int] = set()
        """The groups of ended children that have processes left; unused on Linux."""

    def serve(self) -> None:
        """Handle requests until the runner is gone, then kill every process below this one."""
        wake_up, signalled = os.pipe()
        os.set_blocking(signalled, False)
        signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # a handler, since children would inherit "ignored" and then not end on SIGTERM
            signal.signal(number, lambda _number, _frame: None)
        try:
            while True:
                ready, _, _ = select.select([self._runner.fileno(), wake_up], [], [])
                if wake_up in ready:
                    os.read(wake_up, 4096)
                    self._reap()
                if self._runner.fileno() in ready and not self._handle_request():
                    break
        finally:
            self._kill_below(keep=())

    def _handle_request(self) -> bool:
        """Handle one request; return whether the runner is still there."""
        text, descriptors = b"", []
        while not text.endswith(b"\n"):
            try:
                part, received, _, _ = socket.recv_fds(self._runner, 65536, _MAX_DESCRIPTORS)
            except ConnectionError:  # the runner left with unread messages
                return False
            if not part:
                return False
            text += part
            descriptors += received
        try:
            reply = self._reply_to(json.loads(text), descriptors)
        except OSError as error:
            file = f": {error.filename}" if error.filename else ""
            reply = {"error": describe_process_limit(error) or f"{error.strerror}{file}"}
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return self._send(reply)

    def _reply_to(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        match request:
            case {"spawn": {"argv": argv, "env": env, "cwd": cwd, "cores": cores}}:
                stdin, stdout, stderr = descriptors
                with restrict_to(cores):  # a child inherits the affinity
                    child = subprocess.Popen(  # noqa: S603  the runner names the program; no shell
                        argv,
                        env=env,
                        cwd=cwd,
                        stdin=stdin,
                        stdout=stdout,
                        stderr=stderr,
                        start_new_session=True,
                    )
                self._children[child.pid] = child
                return {"spawned": child.pid}
            case {"signal": number, "pid": pid}:
                if pid in self._children:
                    with suppress(ProcessLookupError, PermissionError):  # macOS denies it to zombies
                        os.killpg(pid, number)
                return {"signalled": pid}
            case {"sweep": keep, "grace_s": grace_s}:
                return {"swept": self._sweep(keep, grace_s)}
            case {"used": "cpu_s"}:
                return {"used": _cpu_s()}
            case {"used": "major_faults"}:
                return {"used": _major_faults()}
        return {"error": f"unknown request: {list(request)}"}

    def _reap(self) -> None:
        """Reap all processes that have ended, and report the children among them."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is not None:
                child.returncode = os.waitstatus_to_exitcode(status)
                if sys.platform != "linux" and _is_group(pid):
                    self._groups.add(pid)
                self._send({"exited": pid, "status": child.returncode})

    def _sweep(self, keep: Sequence[int], grace_s: float) -> int:
        """Kill every process below this one except ``keep``; return how many outlived the grace period."""
        deadline_s = time.monotonic() + grace_s
        while (remaining := self._processes_below(keep)) and time.monotonic() < deadline_s:
            time.sleep(0.002)
        if remaining:
            self._kill_below(keep)
        return len(remaining)

    def _kill_below(self, keep: Sequence[int]) -> None:
        kill_all(lambda: self._processes_below(keep), lambda _: self._reap())

    def _processes_below(self, keep: Sequence[int]) -> set[int]:
        """Return every process below this one, except ``keep`` and their descendants.

        Other systems than Linux can only tell process groups, each by its negative id, as kill(2) has it;
        a process that left its group is not found there.
        """
        self._reap()
        if sys.platform != "linux":
            self._groups = {group for group in self._groups if _is_group(group)}
            return {-group for group in {*self._children, *self._groups} - {*keep}}
        if not lists_processes():
            return {*find_children(os.getpid())} - {*keep}
        kept = {pid for root in keep for pid in (root, *descendants(root))}
        return {*descendants(os.getpid()), *children(os.getpid()), *self._children} - kept

    def _send(self, message: dict[str, Any]) -> bool:
        """Send a message; return whether the runner is still there."""
        try:
            self._runner.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return False
        return True


def kill_all(find: Callable[[], Collection[int]], reap: Callable[[Collection[int]], None]) -> None:
    """Kill and reap processes until ``find()`` returns none, for at most two seconds.

    A process may fork while it is being killed, hence the loop; one that survives two seconds is stuck in
    the kernel. A negative number is a process group.
    """
    deadline_s = time.monotonic() + _KILL_TIMEOUT_S
    while time.monotonic() < deadline_s:
        remaining = find()
        if not remaining:
            return
        for pid in remaining:
            with suppress(ProcessLookupError, PermissionError):  # it has ended, or is now another user's
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.001)
        reap(remaining)


def _is_group(number: int) -> bool:
    """Tell whether a process group has processes that can be signalled."""
    try:
        os.killpg(number, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _cpu_s() -> float:
    """Return the CPU time of this process and of all finished processes below it, in seconds."""
    return sum(usage.ru_utime + usage.ru_stime for usage in _usages())


def _major_faults() -> int:
    """Return how often this process, and all finished processes below it, waited for a page from a disk."""
    return sum(usage.ru_majflt for usage in _usages())


def _usages() -> list[resource.struct_rusage]:
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def main() -> None:
    """Supervise; the arguments are the number of the inherited socket and the workspace to remove."""
    socket_number, workspace = int(sys.argv[1]), Path(sys.argv[2])
    raise_limit()  # the machine limits the open files of children, not the shell that started the runner
    try:
        with become_subreaper(), socket.socket(fileno=socket_number) as runner:
            runner.set_inheritable(False)
            Supervisor(runner).serve()
    finally:
        remove_tree(workspace)


if __name__ == "__main__":
    main()
