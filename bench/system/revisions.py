"""From the name of a revision to its commit."""

import subprocess

from bench.errors import EnvironmentFault, UsageError
from bench.model.commit_ids import is_commit
from bench.system.git import git


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
        raise EnvironmentFault(f"git cannot be asked for {revision!r}", hint="it takes git") from error
    if not is_commit(commit):  # a range or an exclusion, such as ^HEAD
        raise _unknown(revision)
    return commit


def _unknown(revision: str) -> UsageError:
    return UsageError(
        f"there is no commit {revision!r}", hint="name a branch, a tag or a commit of this repository"
    )
