"""Changes outside a trial's folder are named and undone."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.runner.protected_files import (
    list_workspace,
    remove_tree,
    restore_authority,
    restore_reference,
    restore_workspace,
    write_authority,
    write_reference,
)

OWN = {"trial"}
FLAGS = {"BR": b"flag of Brazil", "CN": b"flag of China"}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Make a workspace with a reference and the folder of a trial."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    write_reference(workspace, FLAGS)
    (workspace / "trial").mkdir()
    return workspace


def test_changes_within_the_own_folder_are_not_named(workspace: Path) -> None:
    before = list_workspace(workspace, OWN)
    (workspace / "trial" / "notes").mkdir()
    assert restore_workspace(workspace, before, OWN) == ()
    remove_tree(workspace / "trial")
    assert restore_workspace(workspace, before, OWN) == ()
    assert restore_reference(workspace / "reference", FLAGS) == ()


def test_new_files_folders_and_links_beside_the_own_folder_are_removed(workspace: Path) -> None:
    """Also folders that cannot be entered; the target of a link stays."""
    before = list_workspace(workspace, OWN)
    elsewhere = workspace.parent / "elsewhere"
    elsewhere.mkdir()
    (workspace / "beside.txt").touch()
    (workspace / "locked" / "inner").mkdir(parents=True)
    (workspace / "locked" / "inner").chmod(0)
    (workspace / "locked").chmod(0)
    (workspace / "way out").symlink_to(elsewhere)
    assert restore_workspace(workspace, before, OWN) == ("beside.txt", "locked", "way out")
    assert list_workspace(workspace, OWN) == before
    assert elsewhere.is_dir()


def test_a_removed_or_replaced_workspace_is_restored(workspace: Path) -> None:
    for ruin in (remove_tree, lambda path: path.rename(path.with_name("moved")) and path.symlink_to("moved")):
        before = list_workspace(workspace, OWN)
        ruin(workspace)
        assert restore_workspace(workspace, before, OWN) == ("reference",)
        assert restore_reference(workspace / "reference", FLAGS) == ("reference/br.gif", "reference/cn.gif")
        assert not workspace.is_symlink()
        assert list_workspace(workspace, OWN).keys() == {"reference"}
        (workspace / "trial").mkdir()


def test_a_file_replaced_by_another_of_the_same_name_is_named(workspace: Path) -> None:
    """The lock of the workspace by an equal file, and a file by a folder."""
    (workspace / "owner.lock").write_text("17")
    (workspace / "server.txt").touch()
    before = list_workspace(workspace, OWN)
    kept = (workspace / "owner.lock").rename(workspace.parent / "kept")
    (workspace / "owner.lock").write_text("17")
    (workspace / "server.txt").unlink()
    (workspace / "server.txt").mkdir()
    assert restore_workspace(workspace, before, OWN) == ("owner.lock", "server.txt")
    assert list_workspace(workspace, OWN).keys() == {"reference"}
    assert kept.exists()


def make_huge(flag: Path) -> None:
    """Make a file larger than any memory."""
    os.truncate(flag, 1 << 42)


def replace_by_folder(flag: Path) -> None:
    flag.unlink()
    (flag / "inner").mkdir(parents=True)


def replace_by_link(flag: Path) -> None:
    """Put a link to the right bytes in the place of a file."""
    flag.symlink_to(flag.rename(flag.parent.parent / "elsewhere.gif"))


@pytest.mark.parametrize(
    "ruin", [Path.unlink, lambda flag: flag.write_bytes(b"x"), make_huge, replace_by_folder, replace_by_link]
)
def test_a_changed_flag_of_the_reference_is_restored(workspace: Path, ruin: Callable[[Path], object]) -> None:
    flag = workspace / "reference" / "br.gif"
    ruin(flag)
    assert restore_reference(flag.parent, FLAGS) == ("reference/br.gif",)
    assert flag.read_bytes() == FLAGS["BR"]
    assert not flag.is_symlink()
    assert restore_reference(flag.parent, FLAGS) == ()


def test_a_flag_that_is_not_served_is_removed_from_the_reference(workspace: Path) -> None:
    (workspace / "reference" / "zz.gif").touch()
    assert restore_reference(workspace / "reference", FLAGS) == ("reference/zz.gif",)
    assert [path.name for path in sorted((workspace / "reference").iterdir())] == ["br.gif", "cn.gif"]


def test_a_reference_that_is_a_link_is_replaced(workspace: Path) -> None:
    """A folder elsewhere cannot be trusted, even if it is equal."""
    reference = workspace / "reference"
    reference.symlink_to(reference.rename(workspace.parent / "elsewhere"))
    assert restore_reference(reference, FLAGS) == ("reference/br.gif", "reference/cn.gif")
    assert not reference.is_symlink()


@pytest.mark.parametrize(
    "ruin", [Path.unlink, lambda file: file.write_bytes(b"\xff\xfe"), make_huge, replace_by_folder]
)
def test_a_changed_authority_is_restored(workspace: Path, ruin: Callable[[Path], object]) -> None:
    assert write_authority(workspace, "PEM") == str(workspace / "authority.pem")
    assert restore_authority(workspace, "PEM") == ()
    ruin(workspace / "authority.pem")
    assert restore_authority(workspace, "PEM") == ("authority.pem",)
    assert (workspace / "authority.pem").read_text() == "PEM"


def test_a_link_in_the_place_of_the_authority_is_not_followed(workspace: Path) -> None:
    victim = workspace.parent / "victim"
    victim.write_text("precious")
    (workspace / "authority.pem").symlink_to(victim)
    write_authority(workspace, "PEM")
    assert victim.read_text() == "precious"
    assert not (workspace / "authority.pem").is_symlink()


def test_without_encryption_there_is_no_authority(workspace: Path) -> None:
    assert write_authority(workspace, "") is None
    assert restore_authority(workspace, "") == ()
    assert not (workspace / "authority.pem").exists()


def test_the_authority_is_written_once_and_again_for_another_server(workspace: Path) -> None:
    """A server that replaces a crashed one has another certificate."""
    file = workspace / "authority.pem"
    assert write_authority(workspace, "one") == str(file)
    written_ns = file.stat().st_mtime_ns
    assert write_authority(workspace, "one") == str(file)
    assert (file.read_text(), file.stat().st_mtime_ns) == ("one", written_ns)
    assert write_authority(workspace, "two") == str(file)
    assert file.read_text() == "two"
