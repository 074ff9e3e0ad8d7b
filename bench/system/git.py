"""Ask git about the current folder, without writing to it."""

import os
import subprocess
from collections.abc import Collection, Mapping
from typing import Final

from bench.errors import SetupError, UsageError
from bench.model.comparison import is_full_sha

READ_ONLY: Final = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
"""Options for a repository that must not change and whose programs must not run.

A git that is interrupted while it refreshes the index leaves a lock, and the repository's own config may name
a program as fsmonitor.
"""
_OFFLINE: Final = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": ""}
"""Environment in which a partial clone does not fetch what it lacks."""
_TIMEOUT_S: Final = 30
"""Long enough for a large repository that is not in memory."""


IS_SHALLOW: Final = ("rev-parse", "--is-shallow-repository")
"""Command whose answer is ``true`` in a clone that lacks old commits."""
FILTERS: Final = ("config", "--get-regexp", r"^(remote\..*\.promisor|extensions\.partialclone)$")
"""Command that has an answer in a clone that may lack files of its commits."""


def describe_missing_commit(what: str, *, is_shallow: bool, is_partial: bool) -> tuple[str, str]:
    """Return the message and hint for a commit that git lacks.

    In a shallow clone, the message begins with that, and the hint tells how to fetch the rest.
    """
    if not is_shallow:
        return what, "`git log --all` shows the commits of this repository; fetch others first"
    then = "`git fetch --unshallow`, then `git fetch --refetch --no-filter`"
    kind, remedy = ("shallow and partial", then) if is_partial else ("shallow", "`git fetch --unshallow`")
    hint = f"fetch the whole history with {remedy}, and another branch with `git fetch origin BRANCH:BRANCH`"
    return f"this repository is a {kind} clone: {what}", hint


def git(*words: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> str:
    """Run a git command in the current folder, and return its output without the white space around it.

    Raises:
        OSError: git is not installed.
        subprocess.SubprocessError: git exits with an error, or takes too long.
    """
    command = ["git", *READ_ONLY, *words]
    return subprocess.run(  # noqa: S603  no shell
        command,
        input=stdin,
        env=None if environment is None else {**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=_TIMEOUT_S,
    ).stdout.strip()


def commit_of(revision: str) -> str:
    """Return the full commit of a revision of the current repository.

    Raises:
        UsageError: there is no such revision, or no repository.
        SetupError: git is not installed, or does not answer.
    """
    try:
        commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except subprocess.CalledProcessError:
        commit = ""
    except (OSError, subprocess.SubprocessError) as error:
        raise SetupError(f"git cannot be asked for {revision!r}", hint="install git") from error
    if not is_full_sha(commit):  # also a range or an exclusion, such as ^HEAD
        what, hint = blame_clone(f"there is no commit {revision!r}")
        raise UsageError(what, hint=hint)
    return commit


def commit_ranks(commits: Collection[str], folder: str = ".") -> Mapping[str, int] | None:
    """Return the place of each commit in the order of the repository that a folder is in.

    The order is that of `git log`, the oldest first. A commit comes after all of its ancestors. Commits that
    git does not know are left out, such as those before a rebase or beyond the end of a shallow clone.

    Returns:
        None if there is no repository, or git does not answer.
    """
    try:
        return _ranks(_list_commits(commits, folder=folder), commits)
    except (OSError, subprocess.SubprocessError):
        return None


def descendants_of(commit: str, commits: Collection[str]) -> frozenset[str]:
    """Return which of these commits are the given one or descend from it, as far as git knows.

    Raises:
        SetupError: git does not answer.
    """
    try:
        after = _list_commits(commits, "--ancestry-path", f"^{commit}")
    except (OSError, subprocess.SubprocessError) as error:
        raise SetupError(f"git cannot list the descendants of {commit}", hint="install git") from error
    return frozenset(_ranks([*after, commit], commits))


def top_folder() -> str:
    """Return the root of the current repository; an empty text outside of any."""
    return _answer("rev-parse", "--show-toplevel")


def is_shallow() -> bool:
    """Say whether the repository is a shallow clone; False without one."""
    return _answer(*IS_SHALLOW) == "true"


def blame_clone(what: str) -> tuple[str, str]:
    """Return the message and the hint of a commit that the current repository does not have."""
    return describe_missing_commit(what, is_shallow=is_shallow(), is_partial=bool(_answer(*FILTERS)))


def _list_commits(commits: Collection[str], *words: str, folder: str = ".") -> list[str]:
    """Return the known ones of these commits and their ancestors, the oldest first."""
    asked = "".join(f"{commit}\n" for commit in sorted(commits))  # sorted: equal dates keep this order
    words = (
        "-C",
        str(folder),
        "rev-list",
        "--topo-order",
        "--reverse",
        "--ignore-missing",
        *words,
        "--stdin",
    )
    return git(*words, stdin=asked, environment=_OFFLINE).split()


def _ranks(listed: Collection[str], commits: Collection[str]) -> Mapping[str, int]:
    wanted = frozenset(commits)
    return {commit: rank for rank, commit in enumerate(listed) if commit in wanted}


def _answer(*words: str) -> str:
    """Return the answer of git; an empty one if it fails, as outside of any repository."""
    try:
        return git(*words)
    except (OSError, subprocess.SubprocessError):
        return ""
