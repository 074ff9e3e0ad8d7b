"""Runs where ``/proc`` is missing, hidden or incomplete, in mount namespaces of their own."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.runs import ROOT, alive, config, document, hostile, outcomes, run, wait_until

pytestmark = pytest.mark.e2e

MISSING = "mount -t tmpfs none /proc"
ALL_CHECKS = (
    "use of the processors by others, swapping, sleep, clock jumps, dropped connections, CPU quotas, "
    "ports, memory, open descriptors"
)


def below(mount: str, *options: str) -> Sequence[str]:
    """Return the words before a command that is to run in a namespace with this mount; skip without one."""
    words = ("unshare", "--mount", *options, "sh", "-c", f'{mount} && exec "$@"', "sh")
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("mount namespaces are not permitted here")
    return words


def notes(text: str) -> list[str]:
    """Return the lines about checks that are impossible, or about limits that cannot be read."""
    return [line for line in text.splitlines() if "not checked" in line]


@pytest.mark.long
def test_without_proc_a_run_works_pins_nothing_and_says_once_what_is_unchecked(tmp_path: Path) -> None:
    strategies = ["sequential", "processpool_map", *hostile(tmp_path, "pool_by_method", "forks_fifty")]
    path = config(tmp_path, strategies, workers=2)
    ended = run(path, within=below(MISSING))
    assert ended.returncode == 0, ended.stderr
    (note,) = notes(ended.stderr)
    assert note.startswith("note: not checked, as /proc or /sys/fs/cgroup cannot be read here: ")
    assert note.endswith(f": {ALL_CHECKS}; nothing is pinned to CPUs")
    assert "Traceback" not in ended.stdout + ended.stderr
    assert all(found == ["ok", "ok"] for found in outcomes(path).values())
    environment = document(path)["environment"]
    assert environment["pinning"] == {"server": [], "worker": [], "harness": []}
    assert ", ".join(environment["unchecked"]) == ALL_CHECKS


@pytest.mark.long
def test_without_proc_left_over_processes_are_counted_and_ended(tmp_path: Path) -> None:
    """Also those in sessions of their own, and those of a worker that is killed at its deadline."""
    source = (ROOT / "tests/strategies/leaves_a_grandchild.py").read_text("utf-8")
    ids = tmp_path / "ids"
    program = f'["sh", "-c", "echo $$ >> {ids}; exec sleep 4321"]'
    (tmp_path / "leaver.py").write_text(source.replace('["sleep", "4321"]', program), "utf-8")
    hanging = source.replace('["sleep", "4321"]', program).replace(
        "with job", "while True: pass\n    with job"
    )
    (tmp_path / "hanger.py").write_text(hanging, "utf-8")
    path = config(tmp_path, ["leaver.py", "hanger.py"], deadline="2s", blocks=1)
    ended = run(path, within=below(MISSING))
    assert outcomes(path) == {"leaver": ["ok"], "hanger": ["timeout"]}, ended.stderr
    leaks = {trial["case"].partition("/")[0]: trial["leak"] for trial in document(path)["trials"]}
    assert leaks["leaver"]["processes"] == 1
    wait_until(lambda: not alive([int(line) for line in ids.read_text("ascii").split()]), 5)
    assert len(ids.read_text("ascii").split()) >= 2


@pytest.mark.long
def test_list_of_another_pid_namespace_is_not_used(tmp_path: Path) -> None:
    path = config(tmp_path, hostile(tmp_path, "forks_fifty"), blocks=1)
    ended = run(path, within=below("true", "--pid", "--fork"))
    assert ended.returncode == 0, ended.stderr
    assert "nothing is pinned to CPUs" in "".join(notes(ended.stderr))
    (trial,) = document(path)["trials"]
    assert trial["leak"]["processes"] == 50
    assert trial["conditions"] is None


@pytest.mark.long
@pytest.mark.parametrize(
    ("mount", "unchecked", "is_pinned"),
    [
        ("mount --bind /dev/null /proc/stat", "use of the processors by others", False),
        ("mount --bind /dev/null /proc/vmstat", "use of the processors by others", False),
        ("mount -t tmpfs none /sys/fs/cgroup", "CPU quotas", True),
        ("mount -t proc -o hidepid=2 none /proc", "", True),
        ("mount -t proc -o subset=pid none /proc", "use of the processors by others", False),
    ],
)
def test_missing_single_files_are_named(
    tmp_path: Path, mount: str, unchecked: str, *, is_pinned: bool
) -> None:
    path = config(tmp_path, ["threadpool_map"], blocks=1)
    ended = run(path, within=below(mount))
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    found = notes(ended.stderr)
    assert len([line for line in found if line.startswith("note: not checked")]) == bool(unchecked)
    assert unchecked in "".join(found)
    assert ("nothing is pinned" in "".join(found)) is not is_pinned


@pytest.mark.long
def test_without_proc_tls_and_the_other_commands_work(tmp_path: Path) -> None:
    within = below(MISSING)
    path = config(tmp_path, ["sequential"], blocks=1, profile={"latency": "5ms", "tls": True})
    assert run(path, within=within).returncode == 0
    for words in (("check", str(path)), ("show", str(tmp_path / "run")), ("list", "strategies")):
        ended = subprocess.run(
            [*within, sys.executable, "-m", "bench", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ended.returncode == 0, ended.stderr
        assert len(notes(ended.stderr)) == (words[0] == "check")
    json.loads((tmp_path / "run/run.json").read_text("utf-8"))
