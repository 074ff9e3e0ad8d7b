"""What a gate compares with, in real repositories of every shape that CI makes."""

import subprocess
from pathlib import Path

import pytest

from bench.app.base_revision import merge_base
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


def test_the_target_of_a_merged_result_comes_before_where_the_branch_left(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HEAD holds what happened on the target since, which is nobody's change."""
    second, first = repository.git("rev-parse", "HEAD"), repository.git("rev-parse", "HEAD~1")
    monkeypatch.setenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", first)
    monkeypatch.setenv("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", second)
    assert merge_base() == second


def test_a_base_that_ci_names_and_has_not_fetched_is_replaced_by_no_other(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change for a release is not judged against main."""
    assert merge_base() == repository.git("rev-parse", "HEAD")
    monkeypatch.setenv("GITHUB_BASE_REF", "release-2")
    with pytest.raises(IncomparableError, match="origin/release-2, is not here") as caught:
        merge_base()
    assert "fetch-depth: 0" in caught.value.hint


def test_a_git_that_cannot_be_asked_is_no_answer(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without git nothing is known of the repository, least of all that there is none."""
    assert repository.folder.exists()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="git cannot be asked"):
        merge_base()


@pytest.mark.parametrize("options", [(), ("--no-single-branch",)], ids=["one branch", "all branches"])
def test_a_shallow_clone_is_told_what_it_lacks(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """The whole history."""
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
