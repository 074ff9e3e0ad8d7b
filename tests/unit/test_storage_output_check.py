"""Output files and folders are checked before anything is measured, and a check leaves nothing behind."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.errors import BenchError, SetupError, UsageError
from bench.storage.output_check import check_appended_file, check_output_file, check_output_folder

LONG = "n" * 300


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make a folder with a file, a folder and a loop of links the current one; nothing may be left in it."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "link").symlink_to("folder/target")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    yield tmp_path
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        ("folder", UsageError, "folder is not a file but a folder; name a file in it"),
        ("pipe", UsageError, "pipe is not a file; name a regular file"),
        ("/dev/null", UsageError, "/dev/null is not a file; name a regular file"),
        ("loop", UsageError, "loop is not a file; name a regular file"),
        ("file/a.xml", UsageError, "cannot be written: Not a directory; name another place"),
        ("file/a/b.xml", UsageError, "cannot be written: Not a directory; name another place"),
        (
            "loop/a.xml",
            UsageError,
            "cannot be written: Too many levels of symbolic links; name another place",
        ),
        (LONG, UsageError, "cannot be written: File name too long; choose a shorter name"),
        (f"new/{LONG}/a.xml", UsageError, "cannot be written: File name too long; choose a shorter name"),
        ("n" * 252, UsageError, "cannot be written: File name too long; choose a shorter name"),
        ("/proc/a.xml", SetupError, "cannot be written: no file can be made in /proc; name another place"),
        ("/proc/a/b.xml", SetupError, "cannot be written: no file can be made in /proc; name another place"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_impossible_file_is_refused_by_its_option(path: str, kind: type[BenchError], message: str) -> None:
    with pytest.raises(kind) as caught:
        check_output_file(Path(path), "--junit")
    assert str(caught.value).startswith(f"--junit: {path} ")
    assert str(caught.value).endswith(message)


def test_possible_file_is_returned_with_links_followed(folder: Path) -> None:
    """It may exist, and its folders may be missing."""
    expected = {"file": "file", "new": "new", "new/folder/a.xml": "new/folder/a.xml", "link": "folder/target"}
    for path, target in expected.items():
        assert check_output_file(Path(path), "--junit") == folder.resolve() / target


@pytest.mark.usefixtures("folder")
def test_missing_folder_is_refused_where_it_would_not_be_made() -> None:
    with pytest.raises(UsageError, match=r"--out: there is no folder .*/new; create it"):
        check_output_file(Path("new/file"), "--out", makes_folder=False)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("folder", "Is a directory; remove the folder"),
        ("new/summary", "there is no folder"),
        ("file/summary", "Not a directory"),
        ("loop", "Too many levels of symbolic links"),
        (LONG, "File name too long"),
        ("/proc/summary", "no file can be made in /proc"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_impossible_appended_file_is_refused(path: str, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        check_appended_file(Path(path), "GITHUB_STEP_SUMMARY")


def test_appended_file_may_be_a_device_a_pipe_or_missing(folder: Path) -> None:
    """A pipe without a reader is not opened: that would wait."""
    (folder / "file").write_text("before", encoding="utf-8")
    for path in ("file", "new", "link", "pipe", "/dev/null"):
        check_appended_file(Path(path), "GITHUB_STEP_SUMMARY")
    assert (folder / "file").read_text("utf-8") == "before"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("file", "Not a directory"),
        ("file/run", "Not a directory"),
        ("loop", "Too many levels of symbolic links"),
        (f"new/{LONG}", "File name too long"),
        ("/dev/null", "Not a directory"),
        ("/proc/run", "no file can be made in /proc"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_impossible_folder_is_refused(path: str, message: str) -> None:
    with pytest.raises(BenchError, match=f"--out: {path} cannot be written: {message}"):
        check_output_folder(Path(path), "--out")


@pytest.mark.usefixtures("folder")
def test_possible_folder_may_exist_or_be_missing() -> None:
    for path in ("folder", ".", "new", "new/a/b", "folder/new"):
        check_output_folder(Path(path), "--out")


@pytest.mark.skipif(os.geteuid() != 0, reason="root can give up its rights for a moment")
@pytest.mark.parametrize("check", [check_output_file, check_appended_file, check_output_folder])
def test_unwritable_folder_is_named_with_its_remedy(
    check: Callable[[Path, str], object], tmp_path: Path
) -> None:
    """So is a file of another user in a folder such as /tmp."""
    for folder in (tmp_path, *tmp_path.parents)[: len(tmp_path.parents) - 1]:
        folder.chmod(0o755)
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o1777)
    shared.chmod(0o1777)
    (shared / "of_root").touch()
    os.seteuid(65534)
    try:
        with pytest.raises(
            SetupError, match=f"Permission denied; make {tmp_path} writable, or name another place"
        ):
            check(tmp_path / "new", "--out")
        if check is check_output_file:
            with pytest.raises(SetupError, match="it belongs to another user; name another place"):
                check(shared / "of_root", "--out")
    finally:
        os.seteuid(0)
    assert [path.name for path in tmp_path.rglob("*")] == ["shared", "of_root"]
