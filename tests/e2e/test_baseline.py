"""What a gate compares with, in real repositories of every shape that CI makes."""

import subprocess
from pathlib import Path

import pytest

from bench.commands.baseline import merge_base
from bench.errors import IncomparableError
from tests.repositories import Repository

pytestmark = pytest.mark.e2e


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Make a repository with two commits on main, and go there."""
    folder = tmp_path / "repository"
    folder.mkdir()
    made = Repository(folder)
    made.git("init", "--quiet", "--initial-branch", "main")
    for text in ("one", "two"):
        (folder / "file.txt").write_text(text)
        made.commit(text)
    for name in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_DIFF_BASE_SHA", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    return made


def test_it_is_where_the_branch_left_main(repository: Repository) -> None:
    """Whatever happened on main since."""
    left = repository.git("rev-parse", "HEAD")
    repository.branch("feature", "file.txt", "two", "three")
    (repository.folder / "other.txt").write_text("later")
    repository.commit("Go on")
    repository.git("checkout", "--quiet", "feature")
    assert merge_base() == left


def test_the_base_of_a_pull_request_comes_first(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As GitHub names its branch, and GitLab its commit."""
    first = repository.git("rev-parse", "HEAD~1")
    repository.git("branch", "release", first)
    monkeypatch.setenv("GITHUB_BASE_REF", "release")
    assert merge_base() == first
    monkeypatch.delenv("GITHUB_BASE_REF")
    monkeypatch.setenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", first)
    assert merge_base() == first


def test_a_dirty_main_is_compared_with_its_commit(repository: Repository) -> None:
    """A clean one has nothing that it could be compared with."""
    with pytest.raises(IncomparableError, match="HEAD is part of main already"):
        merge_base()
    (repository.folder / "file.txt").write_text("changed")
    assert merge_base() == repository.git("rev-parse", "HEAD")


def test_a_shallow_clone_is_told_what_it_lacks(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole history."""
    repository.branch("feature", "file.txt", "two", "three")
    (repository.folder / "other.txt").write_text("later")
    repository.commit("Go on")
    address = repository.folder.as_uri()
    shallow = tmp_path / "shallow"
    clone = ["git", "clone", "--quiet", "--depth", "1", "--no-single-branch", "--branch", "feature"]
    subprocess.run([*clone, address, str(shallow)], check=True, capture_output=True)
    monkeypatch.chdir(shallow)
    with pytest.raises(IncomparableError) as caught:
        merge_base()
    assert "fetch-depth: 0" in caught.value.hint


def test_without_a_repository_or_a_main_branch_there_is_nothing(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each says what to do."""
    repository.git("branch", "--move", "main", "trunk")
    with pytest.raises(IncomparableError, match="there is none of"):
        merge_base()
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    with pytest.raises(IncomparableError, match="no commit"):
        merge_base()
