"""Runs in a real control group with a CPU quota, nested as in a container."""

import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from bench.system.machine import read_machine
from tests.runs import ROOT, config, document, run, wait_until

pytestmark = pytest.mark.e2e

COMPUTES = """
import time
from bench.api import Fetch, Job

def download_many(job: Job) -> list[Fetch]:
    began_s = time.process_time()
    while time.process_time() < began_s + 0.08:
        pass
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
"""
V1, V2 = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")


def limit_cpu(group: Path) -> Path:
    """Limit a new group to a quarter of a core, and return the file of the limit."""
    if group.is_relative_to(V1):
        (group / "cpu.cfs_period_us").write_text("100000")
        (group / "cpu.cfs_quota_us").write_text("25000")
        return group / "cpu.cfs_quota_us"
    (group / "cpu.max").write_text("25000 100000")
    return group / "cpu.max"


@pytest.fixture
def quarter_of_a_core() -> Iterator[tuple[Path, Sequence[str]]]:
    """Yield the file of a quota, and the words before a command that is to run below it."""
    if read_machine().quota.value not in {None, math.inf}:
        pytest.skip("this machine has a CPU quota of its own")
    group = (V1 if (V1 / "cgroup.procs").exists() else V2) / f"flagbench-{uuid4().hex}"
    inner = group / "inner"
    try:
        try:
            group.mkdir()
            limit = limit_cpu(group)
            inner.mkdir()
        except OSError as error:
            pytest.skip(f"control groups cannot be made here: {error}")
        yield limit, ("sh", "-c", f'echo $$ > {inner}/cgroup.procs && exec "$@"', "sh")
    finally:
        wait_until(lambda: not (inner.exists() and (inner / "cgroup.procs").read_text()), 10)
        for folder in (inner, group):
            with suppress(FileNotFoundError):
                folder.rmdir()


@pytest.mark.long
def test_throttled_trials_are_marked_and_counted_and_the_quota_is_named_though_quiet(
    tmp_path: Path, quarter_of_a_core: tuple[Path, Sequence[str]]
) -> None:
    limit, within = quarter_of_a_core
    (tmp_path / "computes.py").write_text(COMPUTES)
    path = config(tmp_path, ["computes.py"], blocks=1)
    ended = run(path, within=within)
    assert f"warning: CPU quota: 0.25 cores ({limit}); start the container without" in ended.stderr
    details = [trial["detail"] for trial in document(path)["trials"]]
    throttled = f"throttled by the CPU quota of {limit}; periods: "
    assert [each[: len(throttled)] for each in details] == [throttled]
    line = "1 disturbed trial kept, mostly like this: throttled by the CPU quota"
    assert line in " ".join(ended.stdout.split())
    checked = subprocess.run(
        [*within, sys.executable, "-m", "bench", "check", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert f"warning: CPU quota: 0.25 cores ({limit});" in checked.stderr
