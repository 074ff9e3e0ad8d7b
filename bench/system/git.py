"""Ask git about the current folder, without writing to it."""

import subprocess
from typing import Final

from bench.errors import SetupError, UsageError
from bench.model.comparison import is_full_sha

READ_ONLY: Final = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
"""Options for a repository that must not change and whose programs must not run.

A git that is interrupted while it refreshes the index leaves a lock, and the repository's own config may name
a program as fsmonitor.
"""
_TIMEOUT_S: Final = 30
"""Long enough for a large repository that is not in memory."""


def git(*words: str) -> str:
    """Run a git command in the current folder, and return its output without the white space around it.

    Raises:
        OSError: git is not installed.
        subprocess.SubprocessError: git exits with an error, or takes too long.
    """
    command = ["git", *READ_ONLY, *words]
    return subprocess.run(  # noqa: S603  no shell
        command, capture_output=True, text=True, check=True, timeout=_TIMEOUT_S
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
        raise UsageError(
            f"there is no commit {revision!r}", hint="name a branch, a tag or a commit of this repository"
        )
    return commit
