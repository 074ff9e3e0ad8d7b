"""End runs at random moments: no process stays, and no acknowledged trial is lost."""

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.storage.journal import read_journal
from bench.storage.run_folder import load_run
from tests.runs import (
    ROOT,
    alive,
    command,
    command_line,
    config,
    document,
    hostile,
    resume_command,
    wait_until,
)

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

LONGEST_S = 3.0
"""Until a signal comes: some come before the first trial of a run, some after several."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
ACKNOWLEDGED = re.compile(r"^block (\d+) of ", re.MULTILINE)


@dataclass(frozen=True, eq=False)
class Lane:
    """Runs one after the other, with a temporary folder of their own.

    Attributes:
        config: of one case, so that each block that is told acknowledges one trial.
        temporary: where their workspaces are made.
    """

    config: Path
    temporary: Path
    random: random.Random

    @property
    def folder(self) -> Path:
        """Where the results are."""
        return self.config.parent / "run"

    def start(self, words: Sequence[str]) -> subprocess.Popen[str]:
        """Start a process that can be told from all others."""
        return subprocess.Popen(
            words,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(self.temporary)},
        )

    def running(self) -> list[bytes]:
        """Return the command lines of the lane's processes."""
        return [command_line(pid) for pid in self.processes()]

    def processes(self) -> list[int]:
        """Return what there is of the lane's processes."""
        marker = f"TMPDIR={self.temporary}\0".encode()
        found = []
        for environ in Path("/proc").glob("[0-9]*/environ"):
            try:
                if marker in environ.read_bytes() + b"\0":
                    found.append(int(environ.parent.name))
            except OSError:  # it ended while we looked
                continue
        return alive(found)

    def workspaces(self) -> list[Path]:
        """Return the temporary folders that are left."""
        return list(self.temporary.iterdir())


def lane(folder: Path, number: int, *strategies: str) -> Lane:
    """Lay out a lane that does the same every time, as far as its signals go."""
    home, temporary = folder / f"lane{number}", folder / f"tmp{number}"
    home.mkdir()
    temporary.mkdir()
    names = strategies or hostile(home, "leaves_a_grandchild")
    return Lane(config(home, names, blocks=1000), temporary, random.Random(number))


def in_lanes(lanes: Sequence[Lane], drive: Callable[[Lane], None]) -> None:
    """Drive all lanes at once."""
    with ThreadPoolExecutor(len(lanes)) as executor:
        for each in [executor.submit(drive, lane) for lane in lanes]:
            each.result()


def start_or_resume(lane: Lane) -> list[str]:
    """Return the command that goes on with the lane's run, or begins it."""
    begun = (lane.folder / "journal.jsonl").exists()
    return resume_command(lane.config) if begun else command(lane.config)


def kill_and_resume(lane: Lane, kills: int, longest_s: float) -> None:
    """Kill a run again and again, go on with it each time, and account for every trial."""
    acknowledged: list[int] = []
    for _ in range(kills):
        with lane.start(start_or_resume(lane)) as runner:
            time.sleep(lane.random.uniform(0, longest_s))
            runner.kill()
            assert runner.stderr is not None
            runner.wait()
            time.sleep(1)
            assert lane.running() == []
            said = runner.stderr.read()
            assert runner.returncode == -signal.SIGKILL, said
        acknowledged += (int(number) - 1 for number in ACKNOWLEDGED.findall(said))
        kept = kept_blocks(lane)
        assert kept == list(range(len(kept)))
        assert set(acknowledged) <= set(kept)
    assert acknowledged == sorted(set(acknowledged))
    finish(lane)


def kept_blocks(lane: Lane) -> list[int]:
    """Return the block of each trial in the journal; none if there is no journal yet."""
    path = lane.folder / "journal.jsonl"
    return [trial.block for trial in read_journal(path).trials] if path.exists() else []


def finish(lane: Lane) -> None:
    """Run another experiment to its end; no temporary folder is older than that."""
    other = config(lane.config.parent / "..", ["sequential"], name="other", blocks=1)
    words = [*command(other)[:-1], str(lane.config.parent / "other"), "--quiet"]
    with lane.start(words) as runner:
        _, said = runner.communicate(timeout=60)
    assert runner.returncode == 0, said
    assert lane.workspaces() == []


def kill_in_lanes(folder: Path, lanes: int, kills: int, longest_s: float = LONGEST_S) -> None:
    """Share out so many kills."""
    each = [lane(folder, number) for number in range(lanes)]
    in_lanes(each, lambda one: kill_and_resume(one, kills, longest_s))


@pytest.mark.long
def test_killed_runs_leave_no_process_and_lose_no_trial(tmp_path: Path) -> None:
    kill_in_lanes(tmp_path, 3, 2, longest_s=LONGEST_S / 2)


@pytest.mark.slow
def test_200_killed_runs_leave_no_process_and_lose_no_trial(tmp_path: Path) -> None:
    kill_in_lanes(tmp_path, 4, 50)


def interrupt(lane: Lane, number: signal.Signals, times: int) -> None:
    """Interrupt new runs at random moments, and look at what they say and leave."""
    for time_ in range(times):
        out = lane.config.parent / f"run{time_}"
        with lane.start([*command(lane.config)[:-1], str(out)]) as runner:
            await_main(runner)
            time.sleep(lane.random.uniform(0, LONGEST_S))
            runner.send_signal(number)
            took_s = seconds_to_end(runner)
            _, said = runner.communicate()
        assert shell_code(runner) == 128 + number, said
        assert took_s < 2
        assert lane.running() == []
        assert lane.workspaces() == []
        if "stopped early" in said:
            trials = len(load_run(out).trials)
            assert f"stopped early: {trials} of 1000 trials kept in {out}; resume with `python -m" in said
            assert (
                len(ACKNOWLEDGED.findall(said)) <= trials == len(read_journal(out / "journal.jsonl").trials)
            )
            assert load_run(out).status == "partial"
        else:  # it had not begun
            assert not list(out.glob("run.json"))


def shell_code(runner: subprocess.Popen[str]) -> int:
    """Return an exit code as a shell tells it.

    While it imports and while it leaves, the interpreter may end itself by the signal that it was sent.
    """
    return runner.returncode if runner.returncode >= 0 else 128 - runner.returncode


def await_main(runner: subprocess.Popen[str]) -> None:
    """Wait until our own code takes signals: before that, the interpreter has its own ways to end."""
    wait_until(lambda: _catches(runner.pid, signal.SIGTERM), 20)


def _catches(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def seconds_to_end(runner: subprocess.Popen[str]) -> float:
    """Wait for the end of a runner, whoever else still holds its stderr."""
    began = time.monotonic()
    runner.wait(20)
    return time.monotonic() - began


def interrupt_in_lanes(folder: Path, lanes: int, times: int) -> None:
    """Share out so many signals of each kind."""
    kinds = {lane(folder, each, "sequential"): SIGNALS[each % len(SIGNALS)] for each in range(lanes)}
    in_lanes(list(kinds), lambda one: interrupt(one, kinds[one], times))


@pytest.mark.long
def test_interrupted_run_exits_within_two_seconds_with_its_signal(tmp_path: Path) -> None:
    interrupt_in_lanes(tmp_path, 6, 1)


@pytest.mark.slow
def test_interrupted_run_exits_within_two_seconds_at_100_random_moments(tmp_path: Path) -> None:
    interrupt_in_lanes(tmp_path, 4, 50)


def interrupt_twice(lane: Lane, number: signal.Signals, times: int) -> None:
    """Send another signal soon after the first one, in the midst of a run."""
    for time_ in range(times):
        out = lane.config.parent / f"run{time_}"
        with lane.start([*command(lane.config)[:-1], str(out)]) as runner:
            wait_until((out / "journal.jsonl").exists, 20)
            time.sleep(lane.random.uniform(0, LONGEST_S))
            runner.send_signal(number)
            time.sleep(lane.random.uniform(0.001, 0.05))
            runner.send_signal(number)
            took_s = seconds_to_end(runner)
            _, said = runner.communicate()
        assert shell_code(runner) == 128 + number, said
        assert took_s < 0.5
        time.sleep(1)
        assert lane.running() == []
        assert lane.workspaces() == []
        assert f"resume with `python -m bench run {lane.config} --resume {out}`" in said
        read_journal(out / "journal.jsonl")


@pytest.mark.slow
def test_second_signal_ends_a_run_within_half_a_second(tmp_path: Path) -> None:
    kinds = {lane(tmp_path, each): SIGNALS[each] for each in range(2)}
    in_lanes(list(kinds), lambda one: interrupt_twice(one, kinds[one], 20))


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["bench.runner.processes.supervisor", "bench.server", "bench.worker"])
def test_killed_supervisor_server_or_worker_is_reported_and_leaves_nothing(
    tmp_path: Path, victim: str
) -> None:
    """The supervisor ends the run; a server is replaced; a worker is a crash."""
    lane_ = lane(tmp_path, 1)
    with lane_.start(command(lane_.config)) as runner:
        path = lane_.folder / "journal.jsonl"
        deadline = time.monotonic() + 20
        while not path.exists() or len(read_journal(path).trials) < 1 or not below(lane_, victim):
            assert time.monotonic() < deadline
        os.kill(below(lane_, victim)[0], signal.SIGKILL)
        if victim != "bench.runner.processes.supervisor":
            kept = len(read_journal(path).trials)
            while len(read_journal(path).trials) < kept + 2:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            runner.send_signal(signal.SIGTERM)
        _, said = runner.communicate(timeout=20)
    assert runner.returncode == (4 if victim == "bench.runner.processes.supervisor" else 143), said
    time.sleep(1)
    assert lane_.running() == []
    assert lane_.workspaces() == []
    outcomes = {trial["outcome"] for trial in document(lane_.config)["trials"]} - {"ok"}
    assert outcomes == {"bench.runner.processes.supervisor": set(), "bench.server": {"invalid"}}.get(
        victim, {"crash"}
    )


def below(lane: Lane, module: str) -> list[int]:
    """Return the processes of a lane that run a module."""
    marker = f"-m\0{module}\0".encode()
    return [pid for pid in lane.processes() if marker in command_line(pid)]
