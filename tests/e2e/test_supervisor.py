"""The supervisor and its launcher: no orphans, no lost messages, no confused process ids."""

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
from bench.runner.processes.launcher import Launcher, child_environment, start_supervisor
from bench.system.process_tree import descendants

pytestmark = [pytest.mark.e2e, pytest.mark.alone]


def spawn(launcher: Launcher, *words: str) -> int:
    """Start a program without input or output."""
    void = os.open(os.devnull, os.O_RDWR)
    try:
        return launcher.spawn(words, (void, void, void), cwd=launcher.workspace)
    finally:
        os.close(void)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_exit_status_is_negative_for_a_signal() -> None:
    with start_supervisor() as launcher:
        assert launcher.exit_status(spawn(launcher, "sh", "-c", "exit 7"), 5) == 7
        assert launcher.exit_status(spawn(launcher, "sh", "-c", "kill -SEGV $$"), 5) == -signal.SIGSEGV


def test_waiting_for_an_exit_times_out_and_leaves_the_process_running() -> None:
    with start_supervisor() as launcher:
        pid = spawn(launcher, "sleep", "60")
        assert launcher.exit_status(pid, 0.05) is None
        assert launcher.end(pid) == -signal.SIGTERM


def test_waits_of_a_finished_child_for_the_disk_are_counted(tmp_path: Path) -> None:
    """It reads pages of a file that are in no cache, and says how often it waited."""
    file, waits = tmp_path / "pages", tmp_path / "waits"
    file.write_bytes(bytes(1 << 20))
    script = (
        "import mmap, os, resource, sys\n"
        "with open(sys.argv[1], 'rb') as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as pages:\n"
        "    os.fsync(file.fileno()); os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)\n"
        "    sum(pages[::4096])\n"
        "count = resource.getrusage(resource.RUSAGE_SELF).ru_majflt\n"
        "open(sys.argv[2], 'w').write(str(count))\n"
    )
    with start_supervisor() as launcher:
        before = launcher.major_faults()
        pid = spawn(launcher, sys.executable, "-c", script, str(file), str(waits))
        assert launcher.exit_status(pid, 10) == 0
        assert launcher.major_faults() - before >= int(waits.read_text("ascii"))


def test_missing_program_is_a_setup_error_with_its_name() -> None:
    with start_supervisor() as launcher, pytest.raises(SetupError, match="no-such-program"):
        spawn(launcher, "no-such-program")


def test_leaving_with_unread_messages_still_ends_all_children() -> None:
    """A closed socket with something left in it resets the connection instead of ending it."""
    with start_supervisor() as launcher:
        sleeper = spawn(launcher, "sleep", "60")
        spawn(launcher, "true")
        time.sleep(0.2)  # the message of its end is in the socket now
        workspace = launcher.workspace
    assert not is_alive(sleeper)
    assert not workspace.exists()


def test_process_that_ignores_sigterm_is_killed() -> None:
    with start_supervisor() as launcher:
        pid = spawn(launcher, "sh", "-c", "trap '' TERM; while :; do sleep 0.05; done")
        time.sleep(0.1)
        assert launcher.end(pid) == -signal.SIGKILL


def test_sweep_kills_processes_of_all_sessions_but_those_kept_and_their_children() -> None:
    with start_supervisor() as launcher:
        kept = spawn(launcher, "sh", "-c", "sleep 60 & wait")
        spawn(launcher, "sh", "-c", "setsid sleep 61 & setsid sh -c 'sleep 62 & wait' & wait")
        deadline = time.monotonic() + 5
        while len(descendants(kept)) < 1 or _count(launcher) < 6:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        remaining = {kept, *descendants(kept)}
        assert launcher.sweep([kept]) == 4
        assert {pid for pid in _all_below(launcher) if is_alive(pid)} == remaining


def test_process_that_ends_within_the_grace_period_is_not_counted() -> None:
    """One that stays is counted and killed."""
    with start_supervisor() as launcher:
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
    module = b"bench.runner.processes.supervisor"
    supervisors = [pid for pid in descendants(os.getpid()) if module in _words(pid)]
    return [pid for supervisor in supervisors for pid in descendants(supervisor)]


def _count(launcher: Launcher) -> int:
    return len(_all_below(launcher))


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_messages_that_arrive_together_are_all_read(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()

    def supervisor() -> None:
        theirs.recv(65536)
        theirs.sendall(b'{"spawned": 9}\n{"exited": 9, "status": -11}\n')

    with ours, theirs:
        thread = threading.Thread(target=supervisor)
        thread.start()
        launcher = Launcher(ours, tmp_path)
        assert launcher.exit_status(spawn(launcher, "any"), 3) == -11
        thread.join()


def test_process_id_used_again_is_another_process(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()

    def supervisor() -> None:
        for reply in (b'{"spawned": 9}\n{"exited": 9, "status": -11}\n', b'{"spawned": 9}\n'):
            theirs.recv(65536)
            theirs.sendall(reply)

    with ours, theirs:
        thread = threading.Thread(target=supervisor)
        thread.start()
        launcher = Launcher(ours, tmp_path)
        assert launcher.exit_status(spawn(launcher, "first"), 3) == -11
        assert launcher.exit_status(spawn(launcher, "second"), 0) is None
        thread.join()


def test_children_inherit_no_secrets_no_proxies_and_no_slow_imports() -> None:
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


@pytest.mark.long
def test_killed_runner_leaves_no_process_and_no_workspace(tmp_path: Path) -> None:
    """Ten times at different moments."""
    script = """
import os, sys, time
from bench.runner.processes.launcher import start_supervisor
with start_supervisor() as launcher:
    print(launcher.workspace, flush=True)
    void = os.open(os.devnull, os.O_RDWR)
    while True:
        launcher.spawn(["sh", "-c", "setsid sleep 60 & sleep 60"], [void] * 3, cwd=launcher.workspace)
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


@pytest.mark.long
def test_process_that_forks_and_exits_all_the_time_is_killed() -> None:
    """It does so twice a millisecond: a listed process has ended before it can be killed."""
    for _ in range(6):
        mark = f"hops-{time.monotonic_ns()}"
        with start_supervisor() as launcher:
            spawn(launcher, sys.executable, "-c", HOPS, mark)
            time.sleep(0.3)
        running = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
        assert [pid for pid in running if mark in command_of(pid)] == []


def command_of(pid: int) -> str:
    """Return the command line of a process; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
