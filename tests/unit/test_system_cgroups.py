"""Counting the OOM kills of this process's own control group."""

from pathlib import Path

import pytest

from bench.system.cgroups import count_oom_kills
from tests.unit.test_system_machine import write_files

OWN = "0::/mine\n"
V2 = "low 0\nhigh 0\nmax 4\noom 4\noom_kill 3\noom_group_kill 0\nsock_throttled 0\n"


@pytest.mark.parametrize(
    ("membership", "file", "text", "killed"),
    [
        (OWN, "sys/fs/cgroup/mine/memory.events", V2, 3),
        ("5:memory:/mine\n", "sys/fs/cgroup/memory/mine/memory.oom_control", "under_oom 0\noom_kill 2\n", 2),
        (OWN, "sys/fs/cgroup/mine/memory.events", "low 0\n", None),
        ("5:cpu:/mine\n", "sys/fs/cgroup/memory/mine/memory.oom_control", "oom_kill 2\n", None),
        ("0::/\n", "proc/vmstat", "oom_kill 9\n", None),
    ],
    ids=["version 2", "version 1", "old kernel", "another controller", "root of a bare machine"],
)
def test_oom_kills_are_those_of_the_own_group(
    membership: str, file: str, text: str, killed: int | None, tmp_path: Path
) -> None:
    root = write_files(tmp_path, {"proc/self/cgroup": membership, file: text})
    assert count_oom_kills(root) == killed


def test_nearest_group_that_counts_decides(tmp_path: Path) -> None:
    """The group above also counts the kills of its other groups."""
    files = {"proc/self/cgroup": OWN, "sys/fs/cgroup/mine/memory.events": "oom_kill 0\n"}
    root = write_files(tmp_path, {**files, "sys/fs/cgroup/memory.events": V2})
    assert count_oom_kills(root) == 0
