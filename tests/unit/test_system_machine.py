"""Reading a machine from files as kernels write them."""

import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.system.machine import Figure, Setting, read_machine

CPU = "sys/devices/system/cpu"


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    """Write files of a machine below a root, and return the root."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    return root


def test_missing_files_are_unreadable_and_named_as_sources(tmp_path: Path) -> None:
    found = read_machine(tmp_path)
    assert found.governor == Setting(None, f"/{CPU}/cpu*/cpufreq/scaling_governor")
    assert found.boost == Setting(None, f"/{CPU}/cpufreq/boost")
    assert found.smt == Setting(None, f"/{CPU}/smt/active")
    assert found.load == Figure(None, "/proc/loadavg")
    assert found.quota == Figure(None, "/sys/fs/cgroup/cpu.max")
    assert found.swapped == Figure(None, "/proc/vmstat")


def test_each_governor_in_use_is_listed_once(tmp_path: Path) -> None:
    names = ["powersave", "performance", "powersave"]
    root = write_files(
        tmp_path, {f"{CPU}/cpu{i}/cpufreq/scaling_governor": f"{name}\n" for i, name in enumerate(names)}
    )
    assert read_machine(root).governor.value == "performance, powersave"


@pytest.mark.parametrize(
    ("file", "text", "value"),
    [
        ("intel_pstate/no_turbo", "0\n", "on"),
        ("intel_pstate/no_turbo", "1\n", "off"),
        ("cpufreq/boost", "1\n", "on"),
        ("cpufreq/boost", "0\n", "off"),
    ],
)
def test_turbo_is_read_from_either_driver(tmp_path: Path, file: str, text: str, value: str) -> None:
    assert read_machine(write_files(tmp_path, {f"{CPU}/{file}": text})).boost == Setting(
        value, f"/{CPU}/{file}"
    )


def test_smt_load_and_swapping_are_read(tmp_path: Path) -> None:
    root = write_files(
        tmp_path,
        {
            f"{CPU}/smt/active": "1\n",
            "proc/loadavg": "1.31 0.80 0.40 2/83 9987\n",
            "proc/vmstat": "pgpgin 12\npswpin 3\npswpout 4\n",
        },
    )
    found = read_machine(root)
    assert found.smt.value == "on"
    assert found.load.value == 1.31
    assert found.swapped.value == 7


@pytest.mark.parametrize(
    ("files", "cores", "source"),
    [
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, math.inf, "cpu.max"),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5, "cpu.max"),
        (
            {
                "proc/self/cgroup": "0::/system.slice/it.service\n",
                "sys/fs/cgroup/system.slice/it.service/cpu.max": "max 100000\n",
                "sys/fs/cgroup/system.slice/cpu.max": "50000 100000\n",
            },
            0.5,
            "system.slice/cpu.max",
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/it\n3:cpu,cpuacct:/it\n0::/\n",
                "sys/fs/cgroup/cpu/it/cpu.cfs_quota_us": "200000\n",
                "sys/fs/cgroup/cpu/it/cpu.cfs_period_us": "100000\n",
            },
            2.0,
            "cpu/it/cpu.cfs_quota_us",
        ),
        (
            {
                "proc/self/cgroup": "1:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            math.inf,
            "cpu/cpu.cfs_quota_us",
        ),
    ],
)
def test_tightest_quota_of_this_group_and_those_above_is_read(
    tmp_path: Path, files: Mapping[str, str], cores: float, source: str
) -> None:
    assert read_machine(write_files(tmp_path, files)).quota == Figure(cores, f"/sys/fs/cgroup/{source}")


@pytest.mark.parametrize(
    "files",
    [
        {"cpu/cpu.cfs_quota_us": "200000\n"},
        {"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "0\n"},
        {"cpu/cpu.cfs_period_us": "100000\n"},
        {"cpu/cpu.cfs_quota_us": "much\n", "cpu/cpu.cfs_period_us": "100000\n"},
    ],
)
def test_incomplete_quota_is_unreadable(tmp_path: Path, files: Mapping[str, str]) -> None:
    groups = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    root = write_files(tmp_path, {"proc/self/cgroup": "1:cpu:/\n", **groups})
    assert read_machine(root).quota == Figure(None, "/sys/fs/cgroup/cpu.max")


def test_quota_of_a_group_above_is_read_despite_an_incomplete_one(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "1:cpu:/it\n",
        "sys/fs/cgroup/cpu/it/cpu.cfs_quota_us": "50000\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "150000\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    }
    found = read_machine(write_files(tmp_path, files)).quota
    assert found == Figure(1.5, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us")


@pytest.mark.parametrize(
    ("group", "shown"), [("größe.slice", "größe.slice"), ("gr\udcf6\udcdfe", "gr\ufffd\ufffde")]
)
def test_group_name_that_is_no_text_is_written_with_replacements(
    tmp_path: Path, group: str, shown: str
) -> None:
    files = {
        "proc/self/cgroup": f"0::/{group}\n",
        f"sys/fs/cgroup/{group}/cpu.max": "50000 100000\n",
    }
    found = read_machine(write_files(tmp_path, files)).quota
    assert found == Figure(0.5, f"/sys/fs/cgroup/{shown}/cpu.max")


V1_MOUNT = "32 31 0:29 {} {} rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
V2_MOUNT = "41 31 0:38 {} {} rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"


@pytest.mark.parametrize(
    ("mount", "group", "file"),
    [
        (V2_MOUNT.format("/", "/sys/fs/cgroup/unified"), "0::/it", "sys/fs/cgroup/unified/it/cpu.max"),
        (V2_MOUNT.format("/box", "/sys/fs/cgroup"), "0::/box", "sys/fs/cgroup/cpu.max"),
        (V2_MOUNT.format("/box", "/sys/fs/cgroup"), "0::/box/a/b", "sys/fs/cgroup/a/cpu.max"),
        (V2_MOUNT.format("/", "/sys/fs/cgroup"), "0::/../../elsewhere", "sys/fs/cgroup/cpu.max"),
        (V2_MOUNT.format("/", r"/my\040groups"), "0::/it", "my groups/it/cpu.max"),
        (V1_MOUNT.format("/box", "/cg/c"), "3:cpu,cpuacct:/box/in", "cg/c/in/cpu.cfs_quota_us"),
        (V1_MOUNT.format("/box", "/cg/c"), "3:cpu,cpuacct:/box/in", "cg/c/cpu.cfs_quota_us"),
        (V1_MOUNT.format("/box", "/cg/c"), "3:cpu,cpuacct:/host/box", "cg/c/cpu.cfs_quota_us"),
    ],
)
def test_quota_is_read_where_the_control_groups_are_mounted(
    tmp_path: Path, mount: str, group: str, file: str
) -> None:
    is_v2 = file.endswith("cpu.max")
    limit = {file: "50000 100000\n" if is_v2 else "50000\n"}
    period = {} if is_v2 else {file.replace("quota", "period"): "100000\n"}
    counter = str(Path(file).with_name("cpu.stat"))
    files = {"proc/self/mountinfo": mount, "proc/self/cgroup": f"{group}\n", **limit, **period}
    root = write_files(tmp_path, {**files, counter: "nr_periods 9\nnr_throttled 3\n"})
    found = read_machine(root)
    assert found.quota == Figure(0.5, f"/{file}")
    assert found.throttling == {f"/{file}": root / counter}


def test_throttling_is_counted_for_each_finite_quota_that_has_a_counter(tmp_path: Path) -> None:
    stat = "nr_periods 9\nnr_throttled 3\nthrottled_usec 5\n"
    files = {
        "proc/self/cgroup": "0::/a/b/c/d\n",
        "sys/fs/cgroup/a/cpu.max": "50000 100000\n",
        "sys/fs/cgroup/a/cpu.stat": stat,
        "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
        "sys/fs/cgroup/a/b/cpu.stat": stat,
        "sys/fs/cgroup/a/b/c/cpu.max": "50000 100000\n",
        "sys/fs/cgroup/a/b/c/cpu.stat": "usage_usec 5\n",
        "sys/fs/cgroup/a/b/c/d/cpu.max": "90000 100000\n",
        "sys/fs/cgroup/a/b/c/d/cpu.stat": stat,
    }
    found = read_machine(write_files(tmp_path, files)).throttling
    assert set(found) == {"/sys/fs/cgroup/a/b/c/d/cpu.max", "/sys/fs/cgroup/a/cpu.max"}


def test_cores_and_load_of_this_machine_are_read() -> None:
    found = read_machine()
    assert found.cores.value is not None
    assert found.cores.value >= 1
    assert found.load.value is not None
    assert found.load.value >= 0
