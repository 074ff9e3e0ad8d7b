"""Resolving revisions to commits."""

import os
import subprocess
from pathlib import Path

import pytest

from bench.errors import SetupError, UsageError
from bench.model.comparison import is_full_sha
from bench.system.git import (
    commit_of,
    commit_ranks,
    descendants_of,
    describe_missing_commit,
    is_shallow,
)
from tests.repositories import commit_all, git, small_repository


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 40, True),
        ("0123456789abcdef" * 4, True),
        ("a" * 39, False),
        ("A" * 40, False),
        (f"{'a' * 40}\n", False),
        ("main", False),
    ],
)
def test_full_sha_has_40_or_64_lower_case_digits(text: str, expected: bool) -> None:  # noqa: FBT001  what is expected
    assert is_full_sha(text) is expected


def test_revision_is_resolved_to_its_commit_and_an_option_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    someone = ("-c", "user.name=someone", "-c", "user.email=someone@localhost")
    for words in (
        ("init", "--quiet", "--initial-branch=main"),
        ("commit", "--quiet", "--allow-empty", "-m", "x"),
    ):
        subprocess.run(["git", *someone, *words], check=True)
    assert is_full_sha(commit_of("main"))
    assert commit_of("HEAD") == commit_of("main") == commit_of(commit_of("main")[:12])
    for unknown in ("nowhere", "--all", "", "main^{tree}"):
        with pytest.raises(UsageError, match="there is no commit"):
            commit_of(unknown)


@pytest.mark.parametrize(
    ("is_shallow", "is_partial", "start", "remedy"),
    [
        (False, False, "no v1", "fetch others first"),
        (False, True, "no v1", "fetch others first"),
        (True, False, "this repository is a shallow clone: no v1", "with `git fetch --unshallow`, and"),
        (
            True,
            True,
            "this repository is a shallow and partial clone: no v1",
            "`git fetch --unshallow`, then `git fetch --refetch --no-filter`",
        ),
    ],
)
def test_kind_of_clone_comes_first_in_the_message(
    is_shallow: bool,  # noqa: FBT001  table
    is_partial: bool,  # noqa: FBT001  table
    start: str,
    remedy: str,
) -> None:
    what, hint = describe_missing_commit("no v1", is_shallow=is_shallow, is_partial=is_partial)
    assert what == start
    assert remedy in hint


def test_commit_that_a_shallow_clone_lacks_names_the_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_repository(tmp_path / "origin")
    (tmp_path / "origin" / "more").touch()
    commit_all(tmp_path / "origin")
    git(tmp_path, "clone", "--quiet", "--depth=1", (tmp_path / "origin").as_uri(), "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    with pytest.raises(UsageError, match=r"^this repository is a shallow clone: there is no commit 'HEAD~'"):
        commit_of("HEAD~")


def test_missing_git_is_an_environment_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="install git"):
        commit_of("main")


@pytest.fixture
def commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Make a repository with a merged branch and an open one, all of one second, and name a lost commit."""
    monkeypatch.chdir(tmp_path)
    found: dict[str, str] = {}

    def call(*words: str) -> str:
        environment = dict.fromkeys(("GIT_COMMITTER_DATE", "GIT_AUTHOR_DATE"), "2026-01-02T03:04:05Z")
        someone = ("-c", "user.name=someone", "-c", "user.email=someone@localhost")
        command = ["git", *someone, *words]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env={**os.environ, **environment}
        ).stdout.strip()

    def commit(name: str) -> None:
        call("commit", "--quiet", "--allow-empty", "-m", name)
        found[name] = call("rev-parse", "HEAD")

    call("init", "--quiet", "--initial-branch=main")
    commit("a")
    commit("b")
    call("checkout", "--quiet", "-b", "merged")
    commit("side1")
    commit("side2")
    call("checkout", "--quiet", "main")
    commit("c")
    call("merge", "--quiet", "--no-ff", "-m", "merge", "merged")
    found["merge"] = call("rev-parse", "HEAD")
    call("checkout", "--quiet", "-b", "open", found["b"])
    commit("open")
    call("checkout", "--quiet", "main")
    commit("d")
    found["gone"] = "9" * 40
    return found


def test_commits_come_after_their_ancestors(commits: dict[str, str]) -> None:
    """The commits of a branch stand side by side; an unknown commit has no place."""
    ranks = commit_ranks(set(commits.values()))
    assert ranks is not None
    assert ranks.keys() == {commit for name, commit in commits.items() if name != "gone"}
    names = {commit: name for name, commit in commits.items()}
    order = [names[commit] for commit in sorted(ranks, key=ranks.__getitem__)]
    for earlier, later in (
        ("a", "b"),
        ("b", "c"),
        ("b", "open"),
        ("c", "merge"),
        ("side2", "merge"),
        ("merge", "d"),
    ):
        assert order.index(earlier) < order.index(later)
    assert order.index("side2") == order.index("side1") + 1
    assert commit_ranks([commits["d"], commits["a"]]) == {commits["a"]: 0, commits["d"]: len(order) - 2}


def test_descendants_are_those_that_have_the_commit_in_their_past(commits: dict[str, str]) -> None:
    def of(name: str) -> set[str]:
        found = descendants_of(commits[name], set(commits.values()))
        return {each for each, commit in commits.items() if commit in found}

    assert of("c") == {"c", "merge", "d"}
    assert of("side1") == {"side1", "side2", "merge", "d"}
    assert of("open") == {"open"}
    assert of("d") == {"d"}
    assert of("a") == commits.keys() - {"gone"}


def test_shallow_clone_knows_the_newest_commits_only(
    commits: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_shallow()
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{tmp_path}", "clone"], check=True)
    monkeypatch.chdir(tmp_path / "clone")
    assert is_shallow()
    assert commit_ranks(commits.values()) == {commits["d"]: 0}


def test_partial_clone_fetches_nothing(
    commits: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "config", "uploadpack.allowFilter", "true"], check=True)
    subprocess.run(
        ["git", "clone", "--quiet", "--filter=tree:0", "--no-checkout", f"file://{tmp_path}", "clone"],
        check=True,
    )
    monkeypatch.chdir(tmp_path / "clone")
    ranks = commit_ranks(commits.values())
    assert ranks is not None
    assert ranks.keys() == set(commits.values()) - {commits["gone"]}


def test_there_is_no_order_without_a_repository_or_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_ranks(["a" * 40]) is None
    assert not is_shallow()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_ranks(["a" * 40]) is None


def test_commits_of_another_hash_are_unknown(commits: dict[str, str]) -> None:
    assert commit_ranks([commits["a"], "a" * 64]) == {commits["a"]: 0}
