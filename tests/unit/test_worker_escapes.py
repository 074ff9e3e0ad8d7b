"""Links that lead out of a trial's folder, and those that do not."""

import os
from pathlib import Path

import pytest

from bench.worker.symlink_check import escaping_links
from bench.worker.verify import entries


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make the folder of a trial with one round and one flag in it, beside another file."""
    (tmp_path / "outside.gif").write_bytes(b"GIF")
    round_ = tmp_path / "trial" / "1"
    round_.mkdir(parents=True)
    (round_ / "br.gif").write_bytes(b"GIF")
    return tmp_path / "trial"


def found(folder: Path) -> list[str]:
    """Name what leads out of the folder."""
    return escaping_links(folder, entries(folder))


def test_what_stays_within_is_no_escape(folder: Path) -> None:
    """Links to one another, to folders and to nothing, and a file of two names."""
    (folder / "1" / "cn.gif").symlink_to("br.gif")
    (folder / "1" / "in.gif").symlink_to("nowhere.gif")
    (folder / "2").symlink_to("1")
    os.link(folder / "1" / "br.gif", folder / "de.gif")
    assert found(folder) == []


def test_a_link_that_points_out_is_one(folder: Path) -> None:
    """Absolute or relative, to a file, a folder or nothing, over another link as well."""
    (folder / "1" / "a").symlink_to("../../outside.gif")
    (folder / "1" / "b").symlink_to(folder.parent)
    (folder / "1" / "c").symlink_to("/nowhere/at/all")
    (folder / "1" / "d").symlink_to("a")
    assert found(folder) == [
        "1/a -> ../../outside.gif",
        f"1/b -> {folder.parent}",
        "1/c -> /nowhere/at/all",
        "1/d -> a",
    ]


def test_a_file_that_has_a_name_outside_is_one(folder: Path) -> None:
    """Whoever writes into it writes outside."""
    os.link(folder.parent / "outside.gif", folder / "1" / "cn.gif")
    assert found(folder) == ["1/cn.gif is the same file as one outside"]


def test_a_folder_that_became_a_link_is_one(folder: Path) -> None:
    """The folder of the trial, or that of the round."""
    (folder / "1").rename(folder.parent / "elsewhere")
    (folder / "1").symlink_to(folder.parent / "elsewhere")
    assert found(folder) == [f"1 -> {folder.parent}/elsewhere"]
    folder.rename(folder.parent / "moved")
    folder.symlink_to("moved")
    assert found(folder) == ["trial -> moved"]


def test_what_went_meanwhile_is_nothing(folder: Path) -> None:
    """A thread of the strategy may still be at work."""
    assert escaping_links(folder, [folder / "gone"]) == []
