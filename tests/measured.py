"""The program as a process of its own, and what it cost."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.system.paths import import_path

# the kernel counts for a child the memory of whoever started it, which must be small therefore
_STARTER: Final = """
import json, os, sys, time
report, *command = sys.argv[1:]
began_s = time.perf_counter()
_, status, used = os.wait4(os.posix_spawn(command[0], command, os.environ), 0)
figures = {
    "code": os.waitstatus_to_exitcode(status),
    "elapsed_s": time.perf_counter() - began_s,
    "processor_s": used.ru_utime + used.ru_stime,
    "peak_bytes": used.ru_maxrss * 1024,
}
with open(report, "w") as file:
    json.dump(figures, file)
"""
_PATIENCE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended, what it said, and what it cost from its start to its end."""

    stdout: str
    stderr: str
    code: int
    elapsed_s: float
    processor_s: float
    peak_bytes: int


def program(folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> Ended:
    """Run ``flagbench`` with these words in a folder; it sees of the environment what is passed alone."""
    report = folder / "cost.json"
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(import_path())}
    command = [sys.executable, "-P", "-m", "bench", *words]
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _STARTER, str(report), *command],
        cwd=folder,
        env=path | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=_PATIENCE_S,
    )
    figures = json.loads(report.read_text("utf-8"))
    report.unlink()
    return Ended(result.stdout.decode(), result.stderr.decode(), **figures)
