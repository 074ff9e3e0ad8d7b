"""Find the base revision of a gate in real repositories of every shape that CI makes."""

import subprocess
from pathlib import Path

import pytest

from bench.app.gate_base import merge_base
from bench.errors import IncomparableError, SetupError
from tests.repositories import Repository

pytestmark = pytest.mark.e2e

VARIABLES = (
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA",
    "CI_MERGE_REQUEST_TARGET_BRANCH_SHA",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
)


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
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    return made


def test_merge_base_is_used_whatever_happened_on_main_since(repository: Repository) -> None:
    left = repository.git("rev-parse", "HEAD")
    repository.branch("feature", "file.txt", "two", "three")
    (repository.folder / "other.txt").write_text("later")
    repository.commit("Go on")
    repository.git("checkout", "--quiet", "feature")
    assert merge_base() == left


def test_base_named_by_github_or_gitlab_comes_first(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = repository.git("rev-parse", "HEAD~1")
    repository.git("branch", "release", first)
    monkeypatch.setenv("GITHUB_BASE_REF", "release")
    assert merge_base() == first
    monkeypatch.delenv("GITHUB_BASE_REF")
    monkeypatch.setenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", first)
    assert merge_base() == first


def test_target_of_a_merged_result_comes_before_the_merge_base(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HEAD already holds what happened on the target."""
    second, first = repository.git("rev-parse", "HEAD"), repository.git("rev-parse", "HEAD~1")
    monkeypatch.setenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", first)
    monkeypatch.setenv("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", second)
    assert merge_base() == second


def test_base_that_ci_did_not_fetch_is_an_error(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change for a release must not be judged against main."""
    assert merge_base() == repository.git("rev-parse", "HEAD")
    monkeypatch.setenv("GITHUB_BASE_REF", "release-2")
    with pytest.raises(IncomparableError, match="origin/release-2, is not here") as caught:
        merge_base()
    assert "fetch-depth: 0" in caught.value.hint


def test_missing_git_is_an_error(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert repository.folder.exists()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="git cannot be run"):
        merge_base()


@pytest.mark.parametrize("options", [(), ("--no-single-branch",)], ids=["one branch", "all branches"])
def test_shallow_clone_is_told_to_fetch_the_history(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    repository.branch("feature", "file.txt", "two", "three")
    (repository.folder / "other.txt").write_text("later")
    repository.commit("Go on")
    address = repository.folder.as_uri()
    shallow = tmp_path / "shallow"
    clone = ["git", "clone", "--quiet", "--depth", "1", *options, "--branch", "feature"]
    subprocess.run([*clone, address, str(shallow)], check=True, capture_output=True)
    monkeypatch.chdir(shallow)
    with pytest.raises(IncomparableError) as caught:
        merge_base()
    assert caught.value.what.startswith("this repository is a shallow clone: ")
    assert "`git fetch --unshallow`" in caught.value.hint
    assert "fetch-depth: 0" in caught.value.hint


def test_missing_repository_or_main_branch_says_what_to_do(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.git("branch", "--move", "main", "trunk")
    with pytest.raises(IncomparableError, match=r"^there is no branch origin/HEAD, .* or master"):
        merge_base()
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    with pytest.raises(IncomparableError, match="no commit"):
        merge_base()
