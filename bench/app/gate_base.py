"""Find the base of a gate: the merge base, a revision that the user names, or the pinned commit."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bench.errors import IncomparableError, SetupError
from bench.model.comparison import Variant
from bench.model.text import join_or
from bench.storage.pinned_reference import load_reference
from bench.system.git import blame_clone, git
from bench.system.program_name import program_name

_MAIN_BRANCHES: Final = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_CI_HINT: Final = "CI: `fetch-depth: 0` in GitHub Actions, `GIT_DEPTH: 0` in GitLab"


def gate_variants(configured: tuple[Variant, Variant] | None, against: str | None) -> tuple[Variant, Variant]:
    """Choose base and candidate of a gate: those of its config, with another base if ``against`` names one.

    Args:
        configured: the config's variants; without, the merge base and the work tree are compared.
        against: a revision, ``merge-base`` or ``pinned``.

    Raises:
        IncomparableError: there is no merge base, or no commit is pinned.
        SetupError: git is missing or fails.
        UnreadableResultError: the file of the pinned commit cannot be read.
    """
    if against == "merge-base" or (against is None and configured is None):
        rev = merge_base()
    elif against is None and configured is not None:
        return configured
    else:
        rev = _pinned_commit() if against == "pinned" else str(against)
    base, candidate = configured or (Variant(), Variant())
    if against == "pinned":  # a point of the history belongs to a commit
        candidate = replace(candidate, rev="HEAD", path=None)
    return replace(base, rev=rev, path=None), candidate


def merge_base() -> str:
    """Return the commit at which HEAD left the branch of its later merge.

    That is the base of the pull request where GitHub or GitLab name it, else the repository's main branch.

    Raises:
        IncomparableError: there is no such commit here.
        SetupError: git is missing or fails.
    """
    if not is_revision("HEAD"):
        raise IncomparableError("there is no commit to compare", hint="run the command in a git repository")
    named = tuple(_ci_bases())
    branch = next((each for each in named or _MAIN_BRANCHES if is_revision(each)), None)
    if branch is None and named:
        raise _missing_base(f"the base of this change, {named[0]}, is not here")
    if branch is None:
        raise _missing_base(
            f"there is no branch {join_or(_MAIN_BRANCHES)}", "name a revision with --against, or "
        )
    base = _ask_git("merge-base", branch, "HEAD")
    if not base:
        raise _missing_base(f"HEAD and {branch} have no commit in common here")
    return base


def _missing_base(what: str, otherwise: str = "") -> IncomparableError:
    """Return an error on a base that is not here; a clone that lacks it comes first."""
    problem, hint = blame_clone(what)
    return IncomparableError(problem, hint=f"{otherwise}{hint} ({_CI_HINT})")


def is_revision(name: str) -> bool:
    """Return whether git knows a commit by this name in the current folder.

    Raises:
        SetupError: git is missing or fails.
    """
    return bool(_ask_git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"))


def _pinned_commit() -> str:
    reference = load_reference()
    if reference is None:
        raise IncomparableError(
            "no commit is pinned", hint=f"pin one with `{program_name()} history pin REV`"
        )
    return reference.rev


def _ci_bases() -> Iterator[str]:
    """Yield the names that CI has for the base of a change, the best first.

    In GitLab's pipelines for merged results, HEAD contains the tip of the target.
    """
    for variable in ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        if commit := os.environ.get(variable):
            yield commit
    for variable in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        if branch := os.environ.get(variable):
            yield from (f"origin/{branch}", branch)


def _ask_git(*arguments: str) -> str | None:
    """Return the output of git, or None if it has no answer.

    Raises:
        SetupError: git is missing, takes too long, or does not trust the folder.
    """
    try:
        return git(*arguments)
    except subprocess.CalledProcessError as error:
        message = (error.stderr or "").strip().splitlines()
        if message and "dubious ownership" in message[0]:
            raise SetupError(
                f"git does not trust this folder: {message[0]}",
                hint='trust it with `git config --global --add safe.directory "$PWD"`',
            ) from error
        return None
    except (OSError, subprocess.SubprocessError) as error:
        raise SetupError(f"git cannot be run: {error}", hint="a gate needs git") from error
