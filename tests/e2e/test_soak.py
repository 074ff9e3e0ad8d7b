"""Repeat runs in one process: nothing accumulates in it or on the machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.alone]

ROOT = Path(__file__).parents[2]
MOST_GROWTH = 0.05


def soak(runs: int, folder: Path, patience_s: float) -> list[dict[str, int]]:
    """Run so many times in one process, and return what was there after each."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.soak", str(runs), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=patience_s,
    )
    assert result.returncode == 0, result.stderr
    left: list[dict[str, int]] = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["exit_code"] for each in left] == [0] * runs
    return left


def check_nothing_is_left(left: list[dict[str, int]]) -> None:
    """Compare each run with the first, which may have opened what stays for good."""
    for what in ("descriptors", "threads", "processes", "temporary"):
        assert {each[what] for each in left} == {left[0][what]}, what
    assert (left[0]["processes"], left[0]["temporary"], left[0]["threads"]) == (0, 0, 1)


def test_five_runs_leave_no_descriptor_thread_process_or_folder(tmp_path: Path) -> None:
    check_nothing_is_left(soak(5, tmp_path, 60))


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_five_hundred_runs_leave_nothing_and_grow_memory_by_less_than_5_per_cent(tmp_path: Path) -> None:
    """After the 50th run; until then modules are imported and caches filled."""
    left = soak(500, tmp_path, 1400)
    check_nothing_is_left(left)
    early, late = left[49]["resident_bytes"], left[-1]["resident_bytes"]
    assert late < (1 + MOST_GROWTH) * early, f"{early:,} bytes after 50 runs, {late:,} after 500"
