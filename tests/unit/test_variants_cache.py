"""What is kept by its content: whole under its name, or not there."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.errors import SetupError
from bench.variants.cache import get_or_create, key_of, root, scratch


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a cache of one's own."""
    monkeypatch.setenv("FLAGBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write(folder: Path) -> None:
    """Fill an entry."""
    (folder / "x").write_text("x", encoding="utf-8")


def test_the_cache_lies_where_it_was_told_to(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Our own variable first, then XDG's, which must be absolute, then the home folder."""
    assert root() == cache
    monkeypatch.delenv("FLAGBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert root() == Path("/caches/flagbench")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert root() == Path.home() / ".cache" / "flagbench"


def test_a_cache_that_no_import_path_can_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A colon ends a folder in it."""
    monkeypatch.setenv("FLAGBENCH_CACHE", "/a:b")
    with pytest.raises(SetupError, match="cannot lie in /a:b"):
        root()


def test_a_key_depends_on_all_of_the_content() -> None:
    """And on where one part ends and the next begins."""
    keys = [key_of("tree", "ab"), key_of("tree", "a", "b"), key_of("tree", ["a", "b"]), key_of("treea", "b")]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {16}


def test_an_entry_is_made_once() -> None:
    """The second time it is there."""
    entry = get_or_create("trees", "k", write)
    assert (entry / "x").read_text(encoding="utf-8") == "x"
    assert get_or_create("trees", "k", lambda _: pytest.fail("made again")) == entry


def test_what_fails_half_way_leaves_nothing(cache: Path) -> None:
    """Neither an entry nor rubble."""

    def fail(folder: Path) -> None:
        write(folder)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        get_or_create("trees", "k", fail)
    assert list((cache / "trees").iterdir()) == []


def test_the_first_to_finish_wins() -> None:
    """Another process made the same meanwhile: its entry stays as it is, and ours goes."""

    def fill(folder: Path) -> None:
        get_or_create("trees", "k", lambda theirs: (theirs / "theirs").touch())
        write(folder)

    entry = get_or_create("trees", "k", fill)
    assert [file.name for file in entry.iterdir()] == ["theirs"]
    assert [file.name for file in entry.parent.iterdir()] == ["k"]


def test_what_a_killed_process_left_is_never_used_and_removed_later(cache: Path) -> None:
    """It never had the name of an entry."""
    code = """
import os, signal
from bench.variants.cache import get_or_create
def fill(folder):
    (folder / "half").touch()
    os.kill(os.getpid(), signal.SIGKILL)
get_or_create("trees", "k", fill)
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False)
    assert ended.returncode == -9
    (left,) = (cache / "trees").iterdir()
    assert left.name != "k"
    assert list(left.rglob("half"))
    entry = get_or_create("trees", "k", write)
    assert [file.name for file in entry.iterdir()] == ["x"]
    assert [file.name for file in entry.parent.iterdir()] == ["k"]


def test_what_is_being_made_is_not_removed() -> None:
    """Somebody holds its lock."""
    with scratch() as mine:
        code = "from bench.variants.cache import scratch\nwith scratch() as theirs: print(theirs)"
        root_folder = Path(__file__).parents[2]
        said = subprocess.run([sys.executable, "-c", code], cwd=root_folder, check=True, capture_output=True)
        theirs = Path(said.stdout.decode().strip())
        assert mine.is_dir()
        assert theirs.parent.parent == mine.parent.parent
        assert not theirs.exists()
    assert not mine.exists()


def test_a_cache_that_cannot_be_written_is_a_fault_of_the_machine(cache: Path) -> None:
    """With what to do about it."""
    cache.write_text("no folder", encoding="utf-8")
    with pytest.raises(SetupError, match="cannot write the cache") as fault:
        get_or_create("trees", "k", write)
    assert "FLAGBENCH_CACHE" in fault.value.hint
