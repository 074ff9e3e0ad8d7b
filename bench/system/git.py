"""Asking git about the folder in which the command was given."""

import subprocess
from typing import Final

from bench.errors import SetupError, UsageError
from bench.model.comparison import is_full_sha

_PATIENCE_S: Final = 30
"""A large repository takes its time where nothing of it is in memory."""


def git(*words: str) -> str:
    """Return what git says, without the white space around it.

    Raises:
        OSError: there is no git.
        subprocess.SubprocessError: it refused, or took too long.
    """
    # a git that is interrupted while it refreshes the index leaves a lock in the user's repository, and the
    # folder's own settings may name a program as fsmonitor
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *words]
    return subprocess.run(  # noqa: S603  no shell
        command, capture_output=True, text=True, check=True, timeout=_PATIENCE_S
    ).stdout.strip()


def commit_of(revision: str) -> str:
    """Return the full commit that a revision of the current repository stands for.

    Raises:
        UsageError: there is no such revision, or no repository.
        EnvironmentFault: there is no git, or it does not answer.
    """
    try:
        commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except subprocess.CalledProcessError as error:
        raise _unknown(revision) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise SetupError(f"git cannot be asked for {revision!r}", hint="it takes git") from error
    if not is_full_sha(commit):  # a range or an exclusion, such as ^HEAD
        raise _unknown(revision)
    return commit


def _unknown(revision: str) -> UsageError:
    return UsageError(
        f"there is no commit {revision!r}", hint="name a branch, a tag or a commit of this repository"
    )
