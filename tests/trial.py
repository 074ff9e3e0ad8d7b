"""Asking a real worker process for a trial."""

import os
import subprocess
from pathlib import Path
from typing import Any

from bench.system.paths import import_path
from bench.worker.events import WarmedUp, read_event
from bench.worker.protocol import Report, Task, worker_command


def a_task(folder: Path, **wanted: Any) -> Task:
    """Ask for one timed round, of what the test wants and of little else."""
    trial = folder / "trial"
    trial.mkdir()
    usual = {
        "client": "urllib3",
        "workers": 2,
        "keep_alive": True,
        "repeat": 1,
        "rounds": 1,
        "folder": trial,
        "request_timeout_s": 5.0,
    }
    return Task(**{**usual, **wanted})


def run_worker(task: Task, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a worker to its end as the harness does, in the folder of its trial."""
    return subprocess.run(
        worker_command(),
        input=task.to_json().encode(),
        capture_output=True,
        check=False,
        cwd=task.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(import_path()), **environment},
        timeout=60,
    )


def report_of(task: Task) -> Report:
    """Run a worker, and read its report."""
    return report_in(run_worker(task))


def report_in(ended: subprocess.CompletedProcess[bytes]) -> Report:
    """Read the last of the events that a worker wrote to standard output."""
    *before, last = [read_event(line) for line in ended.stdout.splitlines()]
    assert before in ([], [WarmedUp()]), ended.stderr.decode()
    assert isinstance(last, Report)
    return last
