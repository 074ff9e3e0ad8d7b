"""The temporary folders of runners: abandoned ones are removed, and no others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.runner.processes.workspace import fresh_workspace, remove_abandoned, workspace_parent

HOLDER = """
import sys
from bench.runner.processes.workspace import fresh_workspace
with fresh_workspace() as workspace:
    print(workspace, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def other_runner() -> subprocess.Popen[str]:
    """Start a process that holds a workspace."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def workspace_of(runner: subprocess.Popen[str]) -> Path:
    """Wait for the workspace of a runner, and return it."""
    assert runner.stdout is not None
    return Path(runner.stdout.readline().strip())


def dead_pid() -> int:
    """Return the id of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_workspace_is_removed_with_its_context(tmp_path: Path) -> None:
    with fresh_workspace() as workspace:
        (workspace / "trial").mkdir()
        assert workspace.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_workspace_of_a_killed_runner_is_removed_by_the_next_one() -> None:
    with other_runner() as runner:
        left = workspace_of(runner)
        runner.kill()
        runner.wait()
        assert left.exists()
        with fresh_workspace():
            assert not left.exists()


def test_locked_workspace_stays(tmp_path: Path) -> None:
    """Of another runner, or of this one."""
    with other_runner() as runner:
        theirs = workspace_of(runner)
        with fresh_workspace() as first, fresh_workspace() as second:
            assert {theirs, first, second} <= set(tmp_path.iterdir())
        runner.communicate()
    assert list(tmp_path.iterdir()) == []


def test_workspace_without_a_lock_stays_while_its_owner_is_alive(tmp_path: Path) -> None:
    """It may just have been created."""
    being_made = tmp_path / f"flagbench-{os.getppid()}-abc"
    left = tmp_path / f"flagbench-{dead_pid()}-abc"
    being_made.mkdir()
    left.mkdir()
    remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == [being_made]


def test_links_files_and_other_folders_are_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / f"flagbench-{dead_pid()}-link").symlink_to(elsewhere)
    (tmp_path / f"flagbench-{dead_pid()}-file").touch()
    (tmp_path / "flagbench-mine-results").mkdir()
    before = sorted(tmp_path.iterdir())
    remove_abandoned(tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_workspaces_are_in_memory_where_there_is_much_room_unless_the_user_names_a_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert workspace_parent() == tmp_path
    monkeypatch.delenv("TMPDIR")
    for other in ("TEMP", "TMP"):
        monkeypatch.delenv(other, raising=False)
    memory = tmp_path / "shm"
    memory.mkdir()
    monkeypatch.setattr("bench.runner.processes.workspace._IN_MEMORY", memory)
    monkeypatch.setattr("bench.runner.processes.workspace._MUCH_BYTES", 1)
    assert workspace_parent() == memory
    with fresh_workspace() as workspace:
        assert workspace.parent == memory
    monkeypatch.setattr("bench.runner.processes.workspace._MUCH_BYTES", 1 << 60)
    assert workspace_parent() == tmp_path, "a container has 64 MB there"
    monkeypatch.setattr("bench.runner.processes.workspace._IN_MEMORY", tmp_path / "none")
    assert workspace_parent() == tmp_path
