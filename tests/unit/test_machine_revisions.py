"""From the name of a revision to its commit, and what is said where there is none."""

import subprocess
from pathlib import Path

import pytest

from bench.errors import SetupError, UsageError
from bench.model.comparison import is_full_sha
from bench.system.git import commit_of


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
def test_a_commit_is_its_whole_name(text: str, expected: bool) -> None:  # noqa: FBT001  what is expected
    """Of either hash."""
    assert is_full_sha(text) is expected


def test_a_revision_is_resolved_and_an_option_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the repository of the current folder."""
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


def test_without_git_it_is_said_that_it_takes_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """That is the machine's lack, and not the user's."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="it takes git"):
        commit_of("main")
