"""Run configs whose flags are downloaded on a cluster, and look at what is left of them."""

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from tests import runs
from tests.clusters import Wrap, as_it_is

FOLDERS_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108  where the harness has its own


@dataclass(frozen=True)
class EndedRun:
    """A run that has ended.

    Attributes:
        code: its exit code.
        output: what it printed.
        took_s: how long it took.
    """

    code: int
    output: str
    took_s: float


class Run:
    """A run that has been started, and is killed at exit if it still goes on.

    Attributes:
        process: that of the runner.
        path: of its config.
    """

    def __init__(self, path: Path, *words: str, wrap: Wrap = as_it_is) -> None:
        self.path = path
        self._began_s = time.monotonic()
        self.process = subprocess.Popen(
            wrap(runs.command(path, "--quiet", *words)),
            cwd=runs.ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        with self.process:  # waits, and closes its pipe
            pass

    def trials_done(self) -> int:
        """Return how many trials are in the journal."""
        journal = self.path.parent / "run" / "journal.jsonl"
        return max(0, journal.read_bytes().count(b"\n") - 1) if journal.exists() else 0

    def wait_for_trials(self, count: int, patience_s: float) -> None:
        """Wait until so many trials are in the journal, or the run has ended."""
        runs.wait_until(lambda: self.trials_done() >= count or self.process.poll() is not None, patience_s)

    def end(self, patience_s: float = 90) -> EndedRun:
        """Wait for the end of the run, and check that nothing is left of it."""
        output, _ = self.process.communicate(timeout=patience_s)
        took_s = time.monotonic() - self._began_s
        assert left_of(self.process.pid) == []
        return EndedRun(self.process.returncode, " ".join(output.split()), took_s)


def run_to_end(path: Path, *words: str, patience_s: float = 90) -> EndedRun:
    """Run a config, wait for its end, and check that nothing is left of it."""
    with Run(path, *words) as run:
        return run.end(patience_s)


def left_of(runner: int) -> list[str]:
    """Return the command lines of processes that a runner has left, and its temporary folders."""
    workspace = f"flagbench-{runner}-"
    found = [str(path) for path in FOLDERS_IN_MEMORY.glob(f"{workspace}*")]
    for process in Path("/proc").glob("[0-9]*"):
        line = runs.command_line(int(process.name)).replace(b"\0", b" ").decode(errors="replace")
        if workspace in f"{line} {_current_folder(process)}":
            found.append(line)
    return found


def _current_folder(process: Path) -> str:
    try:
        return os.readlink(process / "cwd")  # noqa: PTH115  of a folder that is gone, it is no path
    except OSError:  # it has ended, or is of another user
        return ""


def strategy(folder: Path, name: str, text: str) -> str:
    """Write a strategy of a test's own beside its config, and return how the config names it."""
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return f"{name}.py"


def trials(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the trials of a run by case, in the order of the blocks."""
    found: dict[str, list[dict[str, Any]]] = {}
    for trial in sorted(runs.document(path)["trials"], key=lambda each: int(each["block"])):
        found.setdefault(trial["case"], []).append(trial)
    return found


def only_trial(path: Path, strategy: str) -> dict[str, Any]:
    """Return the only trial of a strategy."""
    (found,) = (
        each for case, all_ in trials(path).items() if case.startswith(f"{strategy}/") for each in all_
    )
    return found


def requests(trial: dict[str, Any]) -> list[int]:
    """Return how many requests the server saw in each round of a trial, the warm-up first."""
    rounds = [trial["warm_up"], *trial["rounds"]] if trial["warm_up"] else []
    return [each["server"]["requests"] if each["server"] else 0 for each in rounds]


def is_fetching(pid: int, server: str) -> bool:
    """Tell whether an open connection leads to an address from the network of a process."""
    digits = "".join(f"{int(part):02X}" for part in reversed(server.split(".")))
    try:
        lines = Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    except OSError:  # it has ended
        return False
    ends: Sequence[Sequence[str]] = [line.split()[2:4] for line in lines]
    return any(remote.startswith(f"{digits}:") and state == "01" for remote, state in ends)
