"""Run small configs with the program in processes of its own, and look at their files and processes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.system.process_tree import descendants

ROOT = Path(__file__).parents[1]
HOSTILE = ROOT / "tests" / "strategies"


def config(folder: Path, strategies: Sequence[object], **changes: object) -> Path:
    """Write a config of three flags at 5 ms, and return its path; None leaves a key out."""
    settings = {
        "name": "test",
        "countries": ["BR", "CN", "IN"],
        "workers": 3,
        "clients": ["urllib3"],
        "strategies": list(strategies),
        "profile": {"latency": "5ms"},
        "blocks": 2,
        "rounds": 1,
        **changes,
    }
    given = {key: value for key, value in settings.items() if value is not None}
    path = folder / "test.yaml"
    path.write_text(json.dumps(given), encoding="utf-8")  # JSON is YAML
    return path


def hostile(folder: Path, *names: str) -> list[str]:
    """Return paths of the hostile strategies, relative to a folder."""
    return [os.path.relpath(HOSTILE / f"{name}.py", folder) for name in names]


def command(path: Path, *words: str) -> list[str]:
    """Return the command that runs a config, with the folder of the run beside it."""
    return [sys.executable, "-m", "bench", "run", str(path), "--out", str(path.parent / "run"), *words]


def resume_command(path: Path, *words: str) -> list[str]:
    """Return the command that resumes the run of a config."""
    return [sys.executable, "-m", "bench", "run", str(path), "--resume", str(path.parent / "run"), *words]


def resumed(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Resume the run of a config, and wait for its end."""
    return _ended(resume_command(path, *words), 60)


def run(
    path: Path, *words: str, within: Sequence[str] = (), patience_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a config without progress, below the command ``within``, and wait for its end."""
    return _ended([*within, *command(path, "--quiet", *words)], patience_s)


def watched(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a config with progress, and wait for its end."""
    return _ended(command(path, *words), 60)


def _ended(line: Sequence[str], patience_s: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=patience_s)


def document(path: Path) -> dict[str, Any]:
    """Read the stored run."""
    stored: dict[str, Any] = json.loads((path.parent / "run" / "run.json").read_text("utf-8"))
    return stored


def outcomes(path: Path) -> dict[str, list[str]]:
    """Return the outcomes of each strategy's trials, in block order."""
    found: dict[str, list[str]] = {}
    for trial in sorted(document(path)["trials"], key=lambda trial: int(trial["block"])):
        found.setdefault(trial["case"].partition("/")[0], []).append(trial["outcome"])
    return found


@contextmanager
def started(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a run, wait until its first trial is in the journal, and kill the run at exit."""
    process = subprocess.Popen(
        command(path), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            journal = path.parent / "run" / "journal.jsonl"
            wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") > 1, 20)
            yield process
        finally:
            process.kill()


def wait_until(condition: Any, patience_s: float) -> None:
    """Wait for a condition; fail after the given time."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.01)


def alive(pids: Sequence[int]) -> list[int]:
    """Return the processes that still run."""
    return [pid for pid in pids if (stat := _stat(pid)) and stat.rpartition(")")[2].split()[0] != "Z"]


def _stat(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def server_below(pid: int) -> int:
    """Return the flag server below a process."""
    return next(child for child in descendants(pid) if b"bench.server" in command_line(child))


def workspaces_of(pids: Sequence[int]) -> list[Path]:
    """Return the temporary folders in the command lines of processes."""
    words = [word for pid in pids for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]
    return [Path(word.decode()) for word in words if b"/flagbench-" in word]


def command_line(pid: int) -> bytes:
    """Return the command line of a process, with a NUL after each word; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
