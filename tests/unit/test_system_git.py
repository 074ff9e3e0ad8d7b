"""Resolving revisions to commits."""

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


def test_missing_git_is_an_environment_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="install git"):
        commit_of("main")
