"""What lies around a trial's folder: whatever was changed of it is named, and put right."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.runner.protected_files import (
    Identity,
    lay_out_authority,
    lay_out_reference,
    remove_tree,
    restore_authority,
    restore_reference,
    restore_surroundings,
    surroundings,
)

FLAGS = {"BR": b"flag of Brazil", "CN": b"flag of China"}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Lay out a workspace with a reference and the folder of a trial."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    lay_out_reference(workspace, FLAGS)
    (workspace / "trial").mkdir()
    return workspace


def around(workspace: Path) -> dict[str, Identity]:
    """Return what lies around the folder of the trial."""
    return {name: identity for name, identity in surroundings(workspace).items() if name != "trial"}


def test_a_trial_that_keeps_to_its_folder_changes_nothing(workspace: Path) -> None:
    """Whatever it does in there, and even if it removes it."""
    before = around(workspace)
    (workspace / "trial" / "notes").mkdir()
    assert restore_surroundings(workspace, before, {"trial"}) == ()
    remove_tree(workspace / "trial")
    assert restore_surroundings(workspace, before, {"trial"}) == ()
    assert restore_reference(workspace / "reference", FLAGS) == ()


def test_what_is_left_beside_the_folder_is_named_and_removed(workspace: Path) -> None:
    """Files, folders that cannot be entered, and links, of which only the links go."""
    before = around(workspace)
    elsewhere = workspace.parent / "elsewhere"
    elsewhere.mkdir()
    (workspace / "beside.txt").touch()
    (workspace / "locked" / "inner").mkdir(parents=True)
    (workspace / "locked" / "inner").chmod(0)
    (workspace / "locked").chmod(0)
    (workspace / "way out").symlink_to(elsewhere)
    assert restore_surroundings(workspace, before, {"trial"}) == ("beside.txt", "locked", "way out")
    assert around(workspace) == before
    assert elsewhere.is_dir()


def test_a_workspace_that_is_gone_is_there_again(workspace: Path) -> None:
    """Removed, or replaced by a link; what was in it is named."""
    for ruin in (remove_tree, lambda path: path.rename(path.with_name("moved")) and path.symlink_to("moved")):
        before = around(workspace)
        ruin(workspace)
        assert restore_surroundings(workspace, before, {"trial"}) == ("reference",)
        assert restore_reference(workspace / "reference", FLAGS) == ("reference/br.gif", "reference/cn.gif")
        assert not workspace.is_symlink()
        assert around(workspace).keys() == {"reference"}
        (workspace / "trial").mkdir()


def test_what_is_replaced_is_named_though_it_has_the_same_name(workspace: Path) -> None:
    """The file by which the workspace is held, and a folder in the place of a file."""
    (workspace / "owner.lock").write_text("17")
    (workspace / "server.txt").touch()
    before = around(workspace)
    kept = (workspace / "owner.lock").rename(workspace.parent / "kept")
    (workspace / "owner.lock").write_text("17")
    (workspace / "server.txt").unlink()
    (workspace / "server.txt").mkdir()
    assert restore_surroundings(workspace, before, {"trial"}) == ("owner.lock", "server.txt")
    assert around(workspace).keys() == {"reference"}
    assert kept.exists()


def a_huge_one(flag: Path) -> None:
    """Leave a file that no memory could take."""
    os.truncate(flag, 1 << 42)


def a_folder(flag: Path) -> None:
    """Put a folder in the place of a file."""
    flag.unlink()
    (flag / "inner").mkdir(parents=True)


def a_link(flag: Path) -> None:
    """Put a link to the right bytes in the place of a file."""
    flag.symlink_to(flag.rename(flag.parent.parent / "elsewhere.gif"))


@pytest.mark.parametrize(
    "ruin", [Path.unlink, lambda flag: flag.write_bytes(b"x"), a_huge_one, a_folder, a_link]
)
def test_every_flag_of_the_reference_is_as_served_again(
    workspace: Path, ruin: Callable[[Path], object]
) -> None:
    """And what was wrong is named."""
    flag = workspace / "reference" / "br.gif"
    ruin(flag)
    assert restore_reference(flag.parent, FLAGS) == ("reference/br.gif",)
    assert flag.read_bytes() == FLAGS["BR"]
    assert not flag.is_symlink()
    assert restore_reference(flag.parent, FLAGS) == ()


def test_a_flag_that_is_not_served_is_taken_out_of_the_reference(workspace: Path) -> None:
    """Nobody could be compared with it."""
    (workspace / "reference" / "zz.gif").touch()
    assert restore_reference(workspace / "reference", FLAGS) == ("reference/zz.gif",)
    assert [path.name for path in sorted((workspace / "reference").iterdir())] == ["br.gif", "cn.gif"]


def test_a_reference_that_is_a_link_is_replaced(workspace: Path) -> None:
    """A folder elsewhere, though equal, would not be ours to trust."""
    reference = workspace / "reference"
    reference.symlink_to(reference.rename(workspace.parent / "elsewhere"))
    assert restore_reference(reference, FLAGS) == ("reference/br.gif", "reference/cn.gif")
    assert not reference.is_symlink()


@pytest.mark.parametrize(
    "ruin", [Path.unlink, lambda file: file.write_bytes(b"\xff\xfe"), a_huge_one, a_folder]
)
def test_the_authority_is_as_it_was_again(workspace: Path, ruin: Callable[[Path], object]) -> None:
    """And that it was not is said."""
    assert lay_out_authority(workspace, "PEM") == str(workspace / "authority.pem")
    assert restore_authority(workspace, "PEM") == ()
    ruin(workspace / "authority.pem")
    assert restore_authority(workspace, "PEM") == ("authority.pem",)
    assert (workspace / "authority.pem").read_text() == "PEM"


def test_a_link_in_the_place_of_the_authority_is_not_followed(workspace: Path) -> None:
    """What it leads to is somebody's own."""
    victim = workspace.parent / "victim"
    victim.write_text("precious")
    (workspace / "authority.pem").symlink_to(victim)
    lay_out_authority(workspace, "PEM")
    assert victim.read_text() == "precious"
    assert not (workspace / "authority.pem").is_symlink()


def test_without_encryption_there_is_no_authority(workspace: Path) -> None:
    """Nothing is laid out, and nothing missed."""
    assert lay_out_authority(workspace, "") is None
    assert restore_authority(workspace, "") == ()
    assert not (workspace / "authority.pem").exists()
