"""The tree of a variant: the files of a revision or of a folder, as a folder of its own in the cache."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import SetupError, UsageError
from bench.model.comparison import Variant
from bench.model.text import count_names, one_line
from bench.variants.git import GitError, Repository, scratch_repository
from bench.variants.snapshot import Snapshot, lay_out, take_folder, take_revision


@dataclass(frozen=True, slots=True)
class Tree:
    """Files of a variant, in the cache.

    Attributes:
        folder: where they are; equal contents are in one folder.
        id: git's hash of them.
        commit: what they were taken from; ``None`` where there is none.
        dirty: whether a byte of them differs from that commit; ``None`` where there is none.
    """

    folder: Path
    id: str
    commit: str | None
    dirty: bool | None


def make_tree(variant: Variant, say: Callable[[str], None]) -> Tree:
    """Have the tree of a variant in the cache, and say what is not in it.

    Raises:
        UsageError: there is no such revision or folder, or no repository.
        EnvironmentFault: git is missing or cannot do it, or there is no room in the cache.
    """
    label = one_line(variant.label)
    with _told(label):
        tree, snapshot = _of_revision(variant.rev) if variant.rev else _of_folder(variant.path)
    if snapshot.left_out:
        left = count_names(
            snapshot.left_out, "submodule or link out of it is", "submodules or links out of it are"
        )
        say(f"note: the tree of {label} is incomplete: {left}")
    return tree


def working_folder() -> Path:
    """Return the top of the work tree in which the command was given, or where that was, outside of any.

    Raises:
        EnvironmentFault: there is no git.
    """
    try:
        return Repository(Path.cwd()).path("--show-toplevel").resolve()
    except GitError:
        return Path.cwd().resolve()


def _of_revision(rev: str) -> tuple[Tree, Snapshot]:
    repository = Repository(_top())
    try:
        if rev.startswith("-"):
            raise GitError("it is an option")
        commit = repository.ask("rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}").decode()
    except GitError as error:
        raise UsageError(
            f"there is no revision {one_line(rev)!r} in this repository",
            hint="`git log --all` shows those there are; others must be fetched first",
        ) from error
    with scratch_repository(repository.folder, repository.object_format(), repository.objects()) as ours:
        snapshot = lay_out(ours, take_revision(ours, commit))
    return Tree(snapshot.folder, snapshot.id, commit, dirty=False), snapshot


def _of_folder(path: Path | None) -> tuple[Tree, Snapshot]:
    folder = _top() if path is None else path.expanduser().absolute()
    if not folder.is_dir():
        raise UsageError(f"there is no folder {one_line(str(folder))}", hint="name one that there is")
    repository = Repository(folder) if path is None or _is_versioned(folder) else None
    with scratch_repository(folder, None if repository is None else repository.object_format()) as ours:
        snapshot = lay_out(ours, take_folder(ours, repository))
    commit, committed = (None, None) if repository is None else _head(repository)
    dirty = None if commit is None else committed != snapshot.id
    return Tree(snapshot.folder, snapshot.id, commit, dirty), snapshot


def _top() -> Path:
    """Return the top of the current work tree, or the git folder where there is none around it."""
    repository = Repository(Path.cwd())
    try:
        is_bare = repository.ask("rev-parse", "--is-bare-repository") == b"true"
        return repository.path("--absolute-git-dir" if is_bare else "--show-toplevel")
    except GitError as error:
        raise UsageError(
            f"the current folder is in no repository that git can read: {error}",
            hint="go into one, or name a folder with path=FOLDER",
        ) from error


def _is_versioned(folder: Path) -> bool:
    """Say whether a folder is a repository's, or has files that the one around it tracks."""
    repository = Repository(folder)
    try:
        top = repository.path("--show-toplevel")
        return top.resolve() == folder.resolve() or bool(repository.ask("ls-files", "-z"))
    except GitError:
        if (folder / ".git").exists():  # it is one that git refuses, such as somebody else's
            raise
        return False


def _head(repository: Repository) -> tuple[str | None, str | None]:
    """Return the commit that is checked out, and its tree at this folder."""
    try:
        commit = repository.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode()
    except GitError:  # nothing was committed yet
        return None, None
    try:
        return commit, repository.ask("rev-parse", "--verify", "--quiet", "HEAD:./").decode()
    except GitError:  # the commit does not have the folder
        return commit, None


@contextmanager
def _told(label: str) -> Iterator[None]:
    """Have what goes wrong beneath said as what it means."""
    try:
        yield
    except GitError as error:
        raise SetupError(
            f"git cannot copy the tree of {label}: {error}",
            hint="see what `git fsck` says; a partial clone has to be fetched without its filter",
        ) from error
    except OSError as error:
        raise SetupError(
            f"cannot copy the tree of {label}: {error.strerror or error}",
            hint="make room, or name another folder in FLAGBENCH_CACHE",
        ) from error
