"""The cache of variants: an entry is complete or absent."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.errors import SetupError
from bench.variants.cache import cache_folder, entry_key, get_or_create, scratch_folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a temporary cache."""
    monkeypatch.setenv("FLAGBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write(folder: Path) -> None:
    """Fill an entry."""
    (folder / "x").write_text("x", encoding="utf-8")


def test_cache_folder_follows_flagbench_cache_then_an_absolute_xdg_cache_home(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    assert cache_folder() == cache
    monkeypatch.delenv("FLAGBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_folder() == Path("/caches/flagbench")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == Path.home() / ".cache" / "flagbench"


def test_cache_folder_with_a_colon_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAGBENCH_CACHE", "/a:b")
    with pytest.raises(SetupError, match="cannot be in /a:b"):
        cache_folder()


def test_key_depends_on_all_content_and_on_its_parts() -> None:
    keys = [
        entry_key("tree", "ab"),
        entry_key("tree", "a", "b"),
        entry_key("tree", ["a", "b"]),
        entry_key("treea", "b"),
    ]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {16}


def test_entry_is_made_once() -> None:
    entry = get_or_create("trees", "k", write)
    assert (entry / "x").read_text(encoding="utf-8") == "x"
    assert get_or_create("trees", "k", lambda _: pytest.fail("made again")) == entry


def test_entry_that_fails_half_way_leaves_nothing(cache: Path) -> None:

    def fail(folder: Path) -> None:
        write(folder)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        get_or_create("trees", "k", fail)
    assert list((cache / "trees").iterdir()) == []


def test_process_that_finishes_first_makes_the_entry() -> None:
    def fill(folder: Path) -> None:
        get_or_create("trees", "k", lambda theirs: (theirs / "theirs").touch())
        write(folder)

    entry = get_or_create("trees", "k", fill)
    assert [file.name for file in entry.iterdir()] == ["theirs"]
    assert [file.name for file in entry.parent.iterdir()] == ["k"]


def test_unfinished_entry_of_a_killed_process_is_never_used_and_removed_later(cache: Path) -> None:
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


def test_folder_of_a_running_process_is_not_removed() -> None:
    with scratch_folder() as mine:
        code = (
            "from bench.variants.cache import scratch_folder\nwith scratch_folder() as theirs: print(theirs)"
        )
        top = Path(__file__).parents[2]
        said = subprocess.run([sys.executable, "-c", code], cwd=top, check=True, capture_output=True)
        theirs = Path(said.stdout.decode().strip())
        assert mine.is_dir()
        assert theirs.parent.parent == mine.parent.parent
        assert not theirs.exists()
    assert not mine.exists()


def test_unwritable_cache_is_an_environment_error(cache: Path) -> None:
    cache.write_text("no folder", encoding="utf-8")
    with pytest.raises(SetupError, match="cannot write the cache") as fault:
        get_or_create("trees", "k", write)
    assert "FLAGBENCH_CACHE" in fault.value.hint
