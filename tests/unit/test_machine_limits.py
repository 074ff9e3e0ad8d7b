"""What the machine allows, as its files say it."""

import math
import os
import resource
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.system import limits
from bench.system.limits import Limits, read_limits, room

GIB = 1 << 30
KIB = 1024


def read(root: Path, files: Mapping[str, str]) -> Limits:
    """Read a machine that consists of these files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="ascii")
    return read_limits(root, root, root)


def test_this_machine_can_be_read(tmp_path: Path) -> None:
    """On Linux everything is there, and this process is within it."""
    limits = read_limits(tmp_path, Path("results/runs"))
    for figure in (limits.open_files, limits.memory, limits.ports, limits.tasks):
        assert figure.value is not None
        assert figure.value > 0
        assert figure.source
    assert limits.memory.value is not None
    assert limits.most_memory.value is not None
    assert limits.memory.value <= limits.most_memory.value


def test_a_machine_without_files_is_unknown(tmp_path: Path) -> None:
    """Nothing is taken for zero."""
    limits = read(tmp_path, {})
    assert {limits.memory.value, limits.most_memory.value, limits.ports.value, limits.port_rest_s.value} == {
        None
    }
    assert limits.memory.source == "/proc/meminfo"


def test_memory_is_the_least_of_the_machines_and_the_groups(tmp_path: Path) -> None:
    """What a group has read of files is given back when it is needed."""
    files = {
        "proc/meminfo": "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\nSwapTotal: 1048576 kB\n",
        "proc/self/cgroup": "0::/box/inner\n",
    }
    assert read(tmp_path, files).most_memory.value == 9 * GIB
    assert read(tmp_path, files).memory.value == 4 * GIB
    box = {
        "sys/fs/cgroup/box/inner/memory.max": "max\n",
        "sys/fs/cgroup/box/memory.max": f"{GIB}\n",
        "sys/fs/cgroup/box/memory.current": f"{GIB // 2}\n",
        "sys/fs/cgroup/box/memory.stat": f"anon 5\ninactive_file {GIB // 4}\n",
    }
    limits = read(tmp_path, {**files, **box})
    assert (limits.most_memory.value, limits.memory.value) == (GIB, GIB // 2 + GIB // 4)
    assert limits.memory.source == "/sys/fs/cgroup/box/memory.max"


def test_the_first_version_of_control_groups_is_read_too(tmp_path: Path) -> None:
    """Each controller has a tree of its own there."""
    limits = read(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/a\n3:pids:/a\n",
            "sys/fs/cgroup/memory/a/memory.limit_in_bytes": f"{GIB}",
            "sys/fs/cgroup/memory/a/memory.usage_in_bytes": f"{KIB}",
            "sys/fs/cgroup/pids/a/pids.max": "100",
            "sys/fs/cgroup/pids/a/pids.current": "30",
        },
    )
    assert limits.memory.value == GIB - KIB
    assert (limits.tasks.value, limits.tasks.source) == (70, "/sys/fs/cgroup/pids/a/pids.max")


def test_threads_are_those_that_are_left(tmp_path: Path) -> None:
    """Of all that the kernel may have, those that run are taken."""
    limits = read(
        tmp_path,
        {
            "proc/loadavg": "0.5 0.4 0.3 2/345 6789\n",
            "proc/sys/kernel/threads-max": "1000\n",
            "proc/sys/kernel/pid_max": "900\n",
        },
    )
    if os.geteuid() == 0:
        assert (limits.tasks.value, limits.tasks.source) == (555, "/proc/sys/kernel/pid_max")
    assert limits.tasks.value is not None
    assert limits.tasks.value <= 555


@pytest.mark.parametrize(("reuse", "rest_s"), [("0\n", 60.0), ("1\n", 1.0), ("2\n", 1.0), ("x", None)])
def test_ports_of_the_loopback_may_be_reused_soon(tmp_path: Path, reuse: str, rest_s: float | None) -> None:
    """The kernel's default since 4.19 is 2: after a second, over the loopback interface alone."""
    limits = read(
        tmp_path,
        {
            "proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
            "proc/sys/net/ipv4/tcp_tw_reuse": reuse,
        },
    )
    assert limits.ports.value == 28_232
    assert limits.port_rest_s.value == rest_s


def test_room_is_that_of_the_nearest_folder_that_is_there(tmp_path: Path) -> None:
    """The run's folder is made later."""
    found = room(tmp_path / "not" / "there")
    assert found.folder == tmp_path
    assert found.free_bytes.value is not None
    assert 0 < found.free_bytes.value < math.inf
    assert found.device == tmp_path.stat().st_dev


def test_the_soft_limit_of_open_files_becomes_the_hard_one() -> None:
    """What the shell allows is for other programs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
        limits.raise_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
