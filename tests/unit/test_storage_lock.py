"""Locks that die with their owner: a second process is refused, what was left behind is no obstacle."""

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


def test_a_lock_has_its_owners_id_inside_and_leaves_nothing(tmp_path: Path) -> None:
    """For people who look into the folder."""
    path = tmp_path / ".lock"
    with locked(path):
        assert path.read_text("ascii") == f"{os.getpid()}\n"
    assert list(tmp_path.iterdir()) == []


def test_whoever_comes_second_is_told_who_was_first(tmp_path: Path) -> None:
    """And does not wait; nor does it take the lock's file away."""
    path = tmp_path / ".lock"
    with lock_holder(path) as first:
        with pytest.raises(LockedError, match=f"{tmp_path} is in use by process {first.pid};"), locked(path):
            pass
        assert owner(path) == first.pid


def test_a_lock_whose_owner_was_killed_is_no_obstacle(tmp_path: Path) -> None:
    """Its file still has the id of who is gone."""
    path = tmp_path / ".lock"
    with lock_holder(path) as first:
        first.kill()
        first.wait()
        assert owner(path) == first.pid
        with locked(path):
            assert path.read_text("ascii") == f"{os.getpid()}\n"


def test_a_forked_child_of_a_dead_owner_holds_nothing(tmp_path: Path) -> None:
    """It has the descriptor, and not the lock."""
    path = tmp_path / ".lock"
    with lock_holder(path, FORKER) as first:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        with locked(path):
            pass


def test_a_lock_survives_other_files_of_its_folder_being_closed(tmp_path: Path) -> None:
    """A record lock goes with any descriptor of its own file, hence that is one nobody opens."""
    path = tmp_path / ".lock"
    script = HOLDER.replace(
        'print("held"', 'open(Path(sys.argv[1]).with_name("j"), "a").close(); print("held"'
    )
    with lock_holder(path, script), pytest.raises(LockedError), locked(path):
        pass


def test_a_folder_that_cannot_be_had_is_an_error_of_the_system(tmp_path: Path) -> None:
    """For the caller to word."""
    with pytest.raises(FileNotFoundError), locked(tmp_path / "none" / ".lock"):
        pass
