"""Reading the limits of a machine."""

import math
import resource
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.system.limits import Limits, raise_limit, read_disk_space, read_limits


def read(root: Path, files: Mapping[str, str]) -> Limits:
    """Read the limits of a machine with these files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="ascii")
    return read_limits(root, root, root)


def test_limits_of_this_machine_are_positive_and_have_sources(tmp_path: Path) -> None:
    limits = read_limits(tmp_path, Path("results/runs"))
    for figure in (
        limits.open_files,
        limits.ports,
        limits.time_wait_s,
        limits.workspace.free_bytes,
        limits.results.free_bytes,
    ):
        assert figure.value is not None
        assert figure.value > 0
        assert figure.source


def test_missing_files_are_unknown_limits_and_not_zero(tmp_path: Path) -> None:
    limits = read(tmp_path, {})
    assert (limits.ports.value, limits.time_wait_s.value) == (None, None)
    assert limits.ports.source == "/proc/sys/net/ipv4/ip_local_port_range"


@pytest.mark.parametrize(("reuse", "seconds"), [("0\n", 60.0), ("1\n", 1.0), ("2\n", 1.0), ("x", None)])
def test_ports_and_their_time_wait_are_read(tmp_path: Path, reuse: str, seconds: float | None) -> None:
    limits = read(
        tmp_path,
        {
            "proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
            "proc/sys/net/ipv4/tcp_tw_reuse": reuse,
        },
    )
    assert limits.ports.value == 28_232
    assert limits.time_wait_s.value == seconds


def test_disk_space_of_a_missing_folder_is_that_of_the_nearest_existing_one(tmp_path: Path) -> None:
    space = read_disk_space(tmp_path / "not" / "there")
    assert space.free_bytes.source == f"statvfs(3) of {tmp_path}"
    assert space.free_bytes.value is not None
    assert 0 < space.free_bytes.value < math.inf
    assert space.device == tmp_path.stat().st_dev


@pytest.mark.parametrize(
    ("meminfo", "most"),
    [
        ("MemTotal: 9000 kB\nMemAvailable:   3 kB\n", 3072),
        ("MemAvailable: 99999999999 kB\n", math.inf),
        ("", math.inf),
    ],
)
def test_a_folder_in_memory_has_no_more_room_than_memory(tmp_path: Path, meminfo: str, most: float) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text(meminfo)
    on_disk = read_limits(tmp_path, tmp_path, tmp_path).workspace.free_bytes
    found = read_limits(tmp_path, tmp_path, tmp_path, is_in_memory=True).workspace.free_bytes
    assert found.value is not None
    if most == math.inf:
        assert found.source == on_disk.source
    else:
        assert (found.value, found.source) == (most, "MemAvailable in /proc/meminfo")


def test_soft_limit_of_open_files_is_raised_to_the_hard_one() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
        raise_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
