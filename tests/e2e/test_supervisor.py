"""The guardian and its launcher: nothing is orphaned, no message is lost, no number is confused."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bench.errors import SetupError
from bench.runner.processes.launcher import Launcher, child_environment, launching
from bench.system.process_tree import descendants

pytestmark = [pytest.mark.e2e, pytest.mark.alone]


def spawn(launcher: Launcher, *words: str) -> int:
    """Start a program without input or output."""
    void = os.open(os.devnull, os.O_RDWR)
    try:
        return launcher.spawn(words, cwd=launcher.workspace, cores=(), stdin=void, stdout=void, stderr=void)
    finally:
        os.close(void)


def is_alive(pid: int) -> bool:
    """Say whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_an_exit_status_is_told() -> None:
    """Positive for an exit, negative for a signal."""
    with launching() as launcher:
        assert launcher.exit_status(spawn(launcher, "sh", "-c", "exit 7"), 5) == 7
        assert launcher.exit_status(spawn(launcher, "sh", "-c", "kill -SEGV $$"), 5) == -signal.SIGSEGV


def test_waiting_ends_when_patience_does() -> None:
    """And the process lives on until it is ended."""
    with launching() as launcher:
        pid = spawn(launcher, "sleep", "60")
        assert launcher.exit_status(pid, 0.05) is None
        assert launcher.end(pid) == -signal.SIGTERM


def test_a_program_that_cannot_be_started_is_the_environments_fault() -> None:
    """With its name."""
    with launching() as launcher, pytest.raises(SetupError, match="no-such-program"):
        spawn(launcher, "no-such-program")


def test_leaving_with_unread_messages_still_ends_everything() -> None:
    """A closed socket with something left in it resets the connection instead of ending it."""
    with launching() as launcher:
        sleeper = spawn(launcher, "sleep", "60")
        spawn(launcher, "true")
        time.sleep(0.2)  # the message of its end is in the socket now
        workspace = launcher.workspace
    assert not is_alive(sleeper)
    assert not workspace.exists()


def test_a_process_that_cannot_be_asked_is_killed() -> None:
    """SIGTERM is ignored; SIGKILL is not."""
    with launching() as launcher:
        pid = spawn(launcher, "sh", "-c", "trap '' TERM; while :; do sleep 0.05; done")
        time.sleep(0.1)
        assert launcher.end(pid) == -signal.SIGKILL


def test_sweeping_spares_what_is_kept_and_what_it_started() -> None:
    """Everything else goes, whatever session it has fled into."""
    with launching() as launcher:
        kept = spawn(launcher, "sh", "-c", "sleep 60 & wait")
        spawn(launcher, "sh", "-c", "setsid sleep 61 & setsid sh -c 'sleep 62 & wait' & wait")
        deadline = time.monotonic() + 5
        while len(descendants(kept)) < 1 or _count(launcher) < 6:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        spared = {kept, *descendants(kept)}
        assert launcher.sweep([kept]) == 4
        assert {pid for pid in _all_below(launcher) if is_alive(pid)} == spared


def test_what_goes_by_itself_within_the_grace_was_not_left() -> None:
    """Somebody who learns late that all is over is no leak; who stays is counted and killed."""
    with launching() as launcher:
        spawn(launcher, "sh", "-c", "setsid sleep 0.2 & setsid sleep 60 &")
        deadline = time.monotonic() + 5
        while _count(launcher) != 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert launcher.sweep([], grace_s=1.0) == 1
        assert _count(launcher) == 0
        began_s = time.monotonic()
        assert launcher.sweep([], grace_s=10.0) == 0
        assert time.monotonic() - began_s < 5


def _all_below(_launcher: Launcher) -> list[int]:
    guardians = [
        pid for pid in descendants(os.getpid()) if b"bench.runner.processes.supervisor" in _words(pid)
    ]
    return [pid for guardian in guardians for pid in descendants(guardian)]


def _count(launcher: Launcher) -> int:
    return len(_all_below(launcher))


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_messages_that_come_together_are_all_heard(tmp_path: Path) -> None:
    """The end of a process may be told in the same breath as its start."""
    ours, theirs = socket.socketpair()

    def guardian() -> None:
        theirs.recv(65536)
        theirs.sendall(b'{"spawned": 9}\n{"exited": 9, "status": -11}\n')

    with ours, theirs:
        thread = threading.Thread(target=guardian)
        thread.start()
        launcher = Launcher(ours, tmp_path)
        assert launcher.exit_status(spawn(launcher, "any"), 3) == -11
        thread.join()


def test_a_number_used_again_is_another_process(tmp_path: Path) -> None:
    """What was said of the first does not hold for the second."""
    ours, theirs = socket.socketpair()

    def guardian() -> None:
        for reply in (b'{"spawned": 9}\n{"exited": 9, "status": -11}\n', b'{"spawned": 9}\n'):
            theirs.recv(65536)
            theirs.sendall(reply)

    with ours, theirs:
        thread = threading.Thread(target=guardian)
        thread.start()
        launcher = Launcher(ours, tmp_path)
        assert launcher.exit_status(spawn(launcher, "first"), 3) == -11
        assert launcher.exit_status(spawn(launcher, "second"), 0) is None
        thread.join()


def test_children_see_only_what_is_allowed() -> None:
    """Neither secrets nor proxies, nor what makes imports slow."""
    environment = {
        "PATH": "/bin",
        "LANG": "C",
        "SECRET": "x",
        "http_proxy": "http://127.0.0.1:1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": "/elsewhere",
    }
    passed = child_environment(environment)
    assert passed.keys() == {"PATH", "LANG", "PYTHONPATH", "PYTHONUTF8"}
    assert "/elsewhere" not in passed["PYTHONPATH"]


def test_a_runner_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    """Ten times at different moments: no process, no workspace."""
    script = """
import os, sys, time
from bench.runner.processes.launcher import launching
with launching() as launcher:
    print(launcher.workspace, flush=True)
    void = os.open(os.devnull, os.O_RDWR)
    while True:
        launcher.spawn(["sh", "-c", "setsid sleep 60 & sleep 60"], cwd=launcher.workspace,
                       stdin=void, stdout=void, stderr=void)
        time.sleep(0.01)
"""
    for attempt in range(10):
        runner = subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        with runner:
            assert runner.stdout is not None
            workspace = Path(runner.stdout.readline().strip())
            time.sleep(0.02 * attempt)
            below = descendants(runner.pid)
            runner.kill()
        deadline = time.monotonic() + 2
        while any(is_alive(pid) for pid in below) or workspace.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)


HOPS = """
import os, sys, time
os.setsid()
ends = time.monotonic() + 20
while time.monotonic() < ends:
    time.sleep(0.0005)
    if os.fork():
        os._exit(0)
"""


def test_a_process_that_is_another_at_every_moment_is_killed_too() -> None:
    """It forks and ends twice a millisecond: by the time one has listed it, it is not that one any more."""
    for _ in range(6):
        mark = f"hops-{time.monotonic_ns()}"
        with launching() as launcher:
            spawn(launcher, sys.executable, "-c", HOPS, mark)
            time.sleep(0.3)
        running = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
        assert [pid for pid in running if mark in command_of(pid)] == []


def command_of(pid: int) -> str:
    """Return the words of a process; nothing if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
