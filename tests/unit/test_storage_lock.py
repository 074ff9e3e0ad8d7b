"""Check that a lock refuses a second process and ends with its owner."""

import os
import signal
from pathlib import Path

import pytest

from bench.errors import LockedError
from bench.storage.lock import locked, owner
from tests.lock_holder import HOLDER, lock_holder

FORKER = """
import os, sys, time
from pathlib import Path
from bench.storage.lock import locked
with locked(Path(sys.argv[1])):
    if os.fork() == 0:
        sys.stdin.read()
        os._exit(0)
    print("held", flush=True)
    time.sleep(60)
"""


def test_lock_file_holds_the_owners_id_and_is_removed(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with locked(path):
        assert path.read_text("ascii") == f"{os.getpid()}\n"
    assert list(tmp_path.iterdir()) == []


def test_second_process_is_refused_with_the_owners_id(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with lock_holder(path) as first:
        with pytest.raises(LockedError, match=f"{tmp_path} is in use by process {first.pid};"), locked(path):
            pass
        assert owner(path) == first.pid


def test_lock_of_a_killed_owner_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with lock_holder(path) as first:
        first.kill()
        first.wait()
        assert owner(path) == first.pid
        with locked(path):
            assert path.read_text("ascii") == f"{os.getpid()}\n"


def test_forked_child_of_a_dead_owner_does_not_hold_the_lock(tmp_path: Path) -> None:
    """It has the descriptor, but not the lock."""
    path = tmp_path / ".lock"
    with lock_holder(path, FORKER) as first:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        with locked(path):
            assert path.read_text("ascii") == f"{os.getpid()}\n"


def test_lock_survives_closing_other_files_of_its_folder(tmp_path: Path) -> None:
    """Closing any descriptor of the lock's own file would release it."""
    path = tmp_path / ".lock"
    script = HOLDER.replace(
        'print("held"', 'open(Path(sys.argv[1]).with_name("j"), "a").close(); print("held"'
    )
    with lock_holder(path, script), pytest.raises(LockedError), locked(path):
        pass


def test_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked(tmp_path / "none" / ".lock"):
        pass
