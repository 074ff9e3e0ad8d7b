"""Checks that are impossible where files of the system are missing or hidden."""

from pathlib import Path

import pytest

from bench.app import preflight
from bench.app.preflight import blind_spots_note, plan_pinning
from bench.model.cases import Experiment
from bench.system import blind_spots
from bench.system.blind_spots import can_watch_processors, find_blind_spots
from bench.system.cpu_affinity import Pinning
from tests.builders import case
from tests.unit.test_system_machine import write_files

FILES = {
    "proc/stat": "cpu0 1 1 1 1 1 1 1 1\n",
    "proc/vmstat": "pswpin 0\n",
    "proc/net/netstat": "TcpExt: ListenDrops\nTcpExt: 0\n",
    "proc/self/cgroup": "0::/\n",
    "sys/fs/cgroup/cgroup.procs": "1\n",
}
TRIAL = ("use of the processors by others", "swapping", "sleep", "clock jumps")


@pytest.mark.parametrize(
    ("missing", "unchecked"),
    [
        ((), ()),
        (("proc/stat",), (*TRIAL, "dropped connections")),
        (("proc/vmstat",), (*TRIAL, "dropped connections")),
        (("proc/net/netstat",), ("dropped connections",)),
        (("proc/self/cgroup",), ("CPU quotas",)),
        (("sys/fs/cgroup/cgroup.procs",), ("CPU quotas",)),
    ],
)
@pytest.mark.parametrize("is_empty", [True, False])
def test_each_missing_or_empty_file_names_its_checks(
    tmp_path: Path, missing: tuple[str, ...], unchecked: tuple[str, ...], *, is_empty: bool
) -> None:
    files = {file: text for file, text in FILES.items() if file not in missing}
    if is_empty and "sys/fs/cgroup/cgroup.procs" not in missing:
        files |= dict.fromkeys(missing, "")
    root = write_files(tmp_path, files)
    assert find_blind_spots(root) == unchecked
    assert can_watch_processors(root) is (unchecked[:4] != TRIAL)


def test_processes_of_another_namespace_count_as_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_files(tmp_path, FILES)
    monkeypatch.setattr("os.readlink", lambda _path: "1")
    assert find_blind_spots(root) == (*TRIAL, "dropped connections", "ports", "memory", "open descriptors")


def test_nothing_is_pinned_where_others_cannot_be_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "usable_cores", lambda: [(0,), (1,)])
    wanted = Experiment("x", (case(),), {}, 1, 1, 60, 10, 1)
    assert plan_pinning(wanted) == Pinning(server=(0,), worker=(1,), harness=(0,))
    monkeypatch.setattr(blind_spots, "lists_processes", lambda: False)
    assert plan_pinning(wanted) == Pinning()


def test_one_line_names_all_blind_spots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "find_blind_spots", tuple)
    assert blind_spots_note() is None
    start = "not checked, as /proc or /sys/fs/cgroup cannot be read here: memory, CPU quotas"
    monkeypatch.setattr(preflight, "find_blind_spots", lambda: ("memory", "CPU quotas"))
    monkeypatch.setattr(preflight, "can_watch_processors", lambda: True)
    assert blind_spots_note() == start
    monkeypatch.setattr(preflight, "can_watch_processors", lambda: False)
    assert blind_spots_note() == f"{start}; nothing is pinned to CPUs"
