"""Runs beside a process that is always busy."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.system.cpu_affinity import assign_cores, usable_cores
from tests.runs import config, document, run

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.alone,
    pytest.mark.skipif(len(usable_cores()) < 2, reason="server and worker need a core each"),
]


@contextmanager
def busy_process(processors: tuple[int, ...]) -> Iterator[None]:
    """Keep processors busy with a process for as long as the context lasts."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        os.sched_setaffinity(process.pid, processors)
        try:
            yield
        finally:
            process.kill()


@pytest.mark.long
def test_run_beside_a_busy_process_keeps_its_trials_and_says_what_used_the_machine(tmp_path: Path) -> None:
    path = config(tmp_path, ["sequential"], blocks=6)
    with busy_process(assign_cores(usable_cores()).worker[:1]):
        ended = run(path, "--quiet")
    assert ended.returncode == 0, ended.stderr
    shown = " ".join(ended.stdout.split())
    assert "Busy machine: other processes used " in shown
    assert "disturbed trials kept, mostly like this: " in shown
    stored = document(path)
    assert [trial["outcome"] for trial in stored["trials"]] == ["ok"] * 6
    assert any(use["name"].startswith("python") for use in stored["others"]["processes"])
    assert all(trial["conditions"]["worker_waited_s"] >= 0 for trial in stored["trials"])
    assert all(trial["conditions"]["server_waited_s"] >= 0 for trial in stored["trials"])


@pytest.mark.long
def test_refusing_disturbed_trials_discards_them_and_leaves_the_run_inconclusive(tmp_path: Path) -> None:
    path = config(tmp_path, ["sequential"], blocks=1, disturbed="refuse")
    with busy_process(assign_cores(usable_cores()).worker[:1]):
        ended = run(path, "--quiet")
    assert ended.returncode == 8, ended.stderr
    assert [trial["outcome"] for trial in document(path)["trials"]] == ["invalid"] * 4
    assert "1 case has too few blocks: sequential/" in " ".join(ended.stdout.split())
