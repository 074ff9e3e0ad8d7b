"""What a gate compares with: where this branch left the other, a pinned revision, or one that is named."""

import os
import subprocess
from typing import Final

from bench.errors import IncomparableError
from bench.machine.git import git
from bench.store.reference_point import load_reference

_MAIN: Final = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


def merge_base() -> str:
    """Return the commit at which HEAD left the branch that it is to be merged into.

    That is the base of the pull request where GitHub or GitLab name it, else the repository's main branch.

    Raises:
        IncomparableError: there is none, or HEAD is it.
    """
    named = [
        os.environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""),
        *_remote(os.environ.get("GITHUB_BASE_REF", "")),
        *_remote(os.environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "")),
    ]
    head = _git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if not head:
        raise IncomparableError("here is no commit to compare", hint="give the command in a git repository")
    branch = next((each for each in (*filter(None, named), *_MAIN) if _commit(each)), None)
    if branch is None:
        raise IncomparableError(f"there is none of {', '.join(_MAIN)}", hint="name a revision with --against")
    base = _git("merge-base", branch, "HEAD")
    if not base:
        raise IncomparableError(
            f"HEAD and {branch} have no commit in common here",
            hint="a shallow clone lacks it: fetch the whole history (`fetch-depth: 0`)",
        )
    if base == head and not _git("status", "--porcelain", "--untracked-files=normal"):
        raise IncomparableError(
            f"HEAD is part of {branch} already, so there is nothing to compare",
            hint="name a revision with --against, such as HEAD~1 or `pinned`",
        )
    return base


def _remote(branch: str) -> tuple[str, ...]:
    return (f"origin/{branch}", branch) if branch else ()


def _commit(name: str) -> str:
    return _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")


def _git(*words: str) -> str:
    """Return what git says, nothing where it fails."""
    try:
        return git(*words)
    except (OSError, subprocess.SubprocessError):
        return ""


def pinned() -> str:
    """Return the commit that is pinned.

    Raises:
        IncomparableError: none is.
        UnreadableResultError: the file that has it cannot be read.
    """
    reference = load_reference()
    if reference is None:
        raise IncomparableError("no commit is pinned", hint="pin one with `flagbench history pin REV`")
    return reference.rev
