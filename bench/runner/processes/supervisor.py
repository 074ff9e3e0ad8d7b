"""The guardian: a small process between the runner and everything it starts.

It starts children for the runner and adopts whatever they leave behind (it is a *subreaper*, see
prctl(2)). When the pipe from the runner ends, for whatever reason, it kills all of them, removes the
workspace and goes. A parent-death signal alone would not do: it fires when the *thread* that started
the child ends, and grandchildren do not inherit it.

One request is answered before the next is read; ``exited`` messages may come in between.
Little more than the standard library is imported: it must start quickly and never fail.
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.model.process_limit import describe_process_limit
from bench.runner.processes.kill import kill_all
from bench.runner.protected_files import remove_tree
from bench.system.cpu_affinity import restrict_to
from bench.system.limits import raise_limit
from bench.system.process_tree import become_subreaper, children, descendants

_MOST_DESCRIPTORS: Final = 3


class Supervisor:
    """The children of one runner."""

    def __init__(self, runner: socket.socket) -> None:
        self._runner = runner
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def serve(self) -> None:
        """Carry out requests until the runner is gone, then end every process below this one."""
        alarm, ring = os.pipe()
        os.set_blocking(ring, False)
        signal.set_wakeup_fd(ring, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # a handler, since children would inherit "ignored" and then not end on SIGTERM
            signal.signal(number, lambda _number, _frame: None)
        try:
            while True:
                ready, _, _ = select.select([self._runner.fileno(), alarm], [], [])
                if alarm in ready:
                    os.read(alarm, 4096)
                    self._reap()
                if self._runner.fileno() in ready and not self._answer():
                    break
        finally:
            self._kill_below(keep=())

    def _answer(self) -> bool:
        """Carry out one request; return whether there was one."""
        text, descriptors = b"", []
        while not text.endswith(b"\n"):
            try:
                part, received, _, _ = socket.recv_fds(self._runner, 65536, _MOST_DESCRIPTORS)
            except ConnectionError:  # it left without having read all that it was told
                return False
            if not part:
                return False
            text += part
            descriptors += received
        try:
            reply = self._carry_out(json.loads(text), descriptors)
        except OSError as error:
            place = f": {error.filename}" if error.filename else ""
            reply = {"error": describe_process_limit(error) or f"{error.strerror}{place}"}
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return self._tell(reply)

    def _carry_out(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        match request:
            case {"spawn": {"argv": argv, "env": env, "cwd": cwd, "cores": cores}}:
                stdin, stdout, stderr = descriptors[0], descriptors[1], descriptors[2]
                with restrict_to(cores):  # what a process is started from decides where it may run
                    child = subprocess.Popen(  # noqa: S603  the runner names what is started; no shell
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
                    _kill_group(pid, number)
                return {"signalled": pid}
            case {"sweep": keep, "grace_s": grace_s}:
                return {"swept": self._sweep(keep, grace_s)}
            case {"used": "cpu_s"}:
                return {"used": _cpu_s()}
        return {"error": f"no such request: {list(request)}"}

    def _reap(self) -> None:
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
                self._tell({"exited": pid, "status": child.returncode})

    def _sweep(self, keep: Sequence[int], grace_s: float) -> int:
        """Kill every process below this one but those kept; return how many did not go by themselves."""
        patience = time.monotonic() + grace_s
        while (doomed := self._below(keep)) and time.monotonic() < patience:
            time.sleep(0.002)
        if doomed:
            self._kill_below(keep)
        return len(doomed)

    def _kill_below(self, keep: Sequence[int]) -> None:
        """Kill every process below this one but those kept; come back when none is left."""
        kill_all(lambda: self._below(keep), lambda _: self._reap())

    def _below(self, keep: Sequence[int]) -> set[int]:
        """Return every process below this one but those kept and what they started."""
        self._reap()
        spared = {pid for kept in keep for pid in (kept, *descendants(kept))}
        return {*descendants(os.getpid()), *children(os.getpid()), *self._children} - spared

    def _tell(self, message: dict[str, Any]) -> bool:
        """Send a message; return whether the runner is still there."""
        try:
            self._runner.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return False
        return True


def _cpu_s() -> float:
    """Return the processor time of this process and of all that have ended below it, in seconds."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _kill_group(leader: int, number: int) -> None:
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        return


def main() -> None:
    """Guard: the arguments are the number of the inherited socket and the workspace to remove."""
    socket_number, workspace = int(sys.argv[1]), Path(sys.argv[2])
    raise_limit()  # what children may open is for the machine to limit, not for the shell that started us
    try:
        with become_subreaper(), socket.socket(fileno=socket_number) as runner:
            runner.set_inheritable(False)
            Supervisor(runner).serve()
    finally:
        remove_tree(workspace)


if __name__ == "__main__":
    main()
