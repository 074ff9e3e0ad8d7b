"""What a gate compares with: where this branch left the other, or a pinned commit."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bench.errors import IncomparableError, SetupError
from bench.model.comparison import Variant
from bench.storage.pinned_reference import load_reference
from bench.system.git import git

_MAIN: Final = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_FETCH: Final = "fetch the whole history first (`fetch-depth: 0` in GitHub Actions, `GIT_DEPTH: 0` in GitLab)"


def gate_variants(own: tuple[Variant, Variant] | None, against: str | None) -> tuple[Variant, Variant]:
    """Choose base and candidate of a gate: those of its config, with another base if one is named.

    Args:
        own: the config's; without, it is the merge base and the work tree.
        against: a revision, ``merge-base`` or ``pinned``.

    Raises:
        IncomparableError: there is no merge base, or nothing is pinned.
        EnvironmentFault: git cannot be asked.
        UnreadableResultError: the file that has the pinned commit cannot be read.
    """
    if is_from_merge_base(own, against):
        rev = merge_base()
    elif against is None and own is not None:
        return own
    else:
        rev = pinned() if against == "pinned" else str(against)
    base, candidate = (Variant(), Variant()) if own is None else own
    if against == "pinned":  # a point of the history is of a commit
        candidate = replace(candidate, rev="HEAD", path=None)
    return replace(base, rev=rev, path=None), candidate


def is_from_merge_base(own: tuple[Variant, Variant] | None, against: str | None) -> bool:
    """Say whether a gate with these sides of its config compares with the merge base."""
    return against == "merge-base" or (against is None and own is None)


def merge_base() -> str:
    """Return the commit at which HEAD left the branch that it is to be merged into.

    That is the base of the pull request where GitHub or GitLab name it, else the repository's main branch.

    Raises:
        IncomparableError: there is none.
        EnvironmentFault: git cannot be asked.
    """
    if not _asked("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
        raise IncomparableError("here is no commit to compare", hint="give the command in a git repository")
    named = tuple(_named())
    branch = next((each for each in named or _MAIN if _commit(each)), None)
    if branch is None and named:
        raise IncomparableError(f"the base of this change, {named[0]}, is not here", hint=_FETCH)
    if branch is None:
        raise IncomparableError(
            f"there is none of {', '.join(_MAIN)}", hint=f"name a revision with --against, or {_FETCH}"
        )
    base = _asked("merge-base", branch, "HEAD")
    if not base:
        raise IncomparableError(f"HEAD and {branch} have no commit in common here", hint=_FETCH)
    return base


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


def is_revision(word: str) -> bool:
    """Say whether git knows a commit by this word here.

    Raises:
        EnvironmentFault: git cannot be asked.
    """
    return bool(_commit(word))


def _named() -> Iterator[str]:
    """Yield the names that CI has for the base of a change, the best first.

    In GitLab's pipelines for merged results, HEAD holds the tip of the target.
    """
    for variable in ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        if commit := os.environ.get(variable):
            yield commit
    for variable in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        if branch := os.environ.get(variable):
            yield from (f"origin/{branch}", branch)


def _commit(name: str) -> str:
    return _asked("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")


def _asked(*words: str) -> str:
    """Return what git says; nothing where there is nothing to say.

    Raises:
        EnvironmentFault: there is no git, it takes too long, or it does not trust the folder.
    """
    try:
        return git(*words)
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines()
        if said and "dubious ownership" in said[0]:
            raise SetupError(
                f"git does not trust this folder: {said[0]}",
                hint='`git config --global --add safe.directory "$PWD"` says that you do',
            ) from error
        return ""
    except (OSError, subprocess.SubprocessError) as error:
        raise SetupError(f"git cannot be asked: {error}", hint="a gate takes git") from error
