"""Copy the files of a variant, those of a revision or of a folder, into the cache."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import SetupError, UsageError
from bench.model.comparison import Variant
from bench.model.text import count_names, one_line
from bench.storage.run_folder import JOURNAL
from bench.system.git import describe_missing_commit
from bench.variants.cache import cache_folder, entry_key, get_or_create
from bench.variants.git import (
    GitError,
    Repository,
    current_repository,
    temporary_repository,
    user_repository,
)

_LINK: Final = b"120000"
_SUBMODULE: Final = b"160000"
_JOURNAL: Final = JOURNAL.encode()


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a variant, in the cache.

    Attributes:
        folder: the folder of the files; equal contents share one.
        id: git's hash of the files.
        commit: the commit that they were copied from, or None.
        dirty: whether a byte differs from that commit; None without a commit.
        left_out: paths of submodules and of links that lead out of the tree.
    """

    folder: Path
    id: str
    commit: str | None
    dirty: bool | None
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of git's index, in git's own words."""

    mode: bytes
    object: bytes
    path: bytes


def make_tree(variant: Variant, say: Callable[[str], None]) -> Tree:
    """Copy the files of a variant into the cache, and say which were left out.

    Raises:
        UsageError: there is no such revision or folder, or no repository.
        SetupError: git is missing or fails, or the cache is full.
    """
    label = one_line(variant.label)
    with _explain_errors(label):
        tree = _copy_revision(variant.rev) if variant.rev else _copy_folder(variant.path)
    if tree.left_out:
        names = count_names(
            tree.left_out, "submodule or link out of it is", "submodules or links out of it are"
        )
        say(f"note: the tree of {label} is incomplete: {names}")
    return tree


def _copy_revision(rev: str) -> Tree:
    repository = current_repository()
    commit = repository.resolve_commit(rev)
    if commit is None:
        what, hint = describe_missing_commit(
            f"there is no revision {one_line(rev)!r}",
            is_shallow=repository.is_shallow(),
            is_partial=repository.is_partial(),
        )
        raise UsageError(what, hint=hint)
    objects = (repository.folder / repository.rev_parse("--git-path", "objects")).resolve()
    with temporary_repository(repository.folder, repository.object_format(), objects) as copy:
        # in the copy, as git might fetch what a partial clone lacks into the user's repository
        try:
            tree_id = copy.rev_parse("--verify", f"{commit}^{{tree}}")
            # not `write-tree`: git would give the objects of the user's repository a new date
            copy.git("read-tree", tree_id)
            folder, left_out = _check_out(copy, tree_id)
        except GitError as error:
            if repository.is_partial() and copy.lacks_objects(commit):
                raise SetupError(
                    f"this repository is a partial clone: it lacks files of {one_line(rev)}",
                    hint="fetch them with `git fetch --refetch --no-filter`",
                ) from error
            raise
    return Tree(folder, tree_id, commit, dirty=False, left_out=left_out)


def _copy_folder(path: Path | None) -> Tree:
    repository = current_repository() if path is None else user_repository(path.expanduser().absolute())
    folder = repository.folder
    if not folder.is_dir():
        raise UsageError(f"there is no folder {one_line(str(folder))}", hint="name an existing folder")
    is_versioned = path is None or repository.tracks_folder()
    with temporary_repository(folder, repository.object_format() if is_versioned else "sha1") as copy:
        tree_id = _add_files(copy, repository if is_versioned else copy)
        copied, left_out = _check_out(copy, tree_id)
    commit = repository.resolve_commit("HEAD") if is_versioned else None
    dirty = None if commit is None else repository.tree_of_head() != tree_id
    return Tree(copied, tree_id, commit, dirty, left_out)


def _add_files(copy: Repository, source: Repository) -> str:
    """Add the files of a work tree to a copy's index.

    They are added as they are on the disk; git's hash of them is returned. Those are the files that
    ``source`` tracks, and others that it does not ignore; without a repository, ``source`` is the copy
    itself, and all files count. Bytecode, runs of this project and the cache are left out: measuring a tree
    must not change it.
    """
    exclude = () if source is copy else ("--exclude-standard",)
    tracked = _index(source)
    others = source.git("ls-files", "-z", "--others", *exclude, "--exclude=__pycache__/").split(b"\0")
    folder = copy.folder.resolve()
    paths = _existing_files(folder, [entry.path for entry in tracked if entry.mode != _SUBMODULE])
    paths += exclude_runs_and_cache(others, _cache_within(folder))
    copy.git("update-index", "--add", "-z", "--stdin", stdin=b"".join(path + b"\0" for path in paths))
    # not by their paths: git would run itself within submodules, by their configuration, to see how they are
    submodules = (entry for entry in tracked if entry.mode == _SUBMODULE)
    lines = b"".join(b"%b %b\t%b\0" % (each.mode, each.object, each.path) for each in submodules)
    copy.git("update-index", "-z", "--index-info", stdin=lines)
    return copy.git("write-tree").decode()


def _existing_files(folder: Path, paths: Iterable[bytes]) -> list[bytes]:
    """Return the paths at which there is a file or a link.

    Those beyond a link to another folder do not count.
    """
    top = os.fsencode(folder)
    parents: dict[bytes, bool] = {}
    found = []
    for path in paths:
        place = top + b"/" + path
        parent = os.path.dirname(place)  # noqa: PTH120  bytes
        if parent not in parents:
            parents[parent] = os.path.realpath(parent) == parent
        if parents[parent] and (os.path.islink(place) or os.path.isfile(place)):  # noqa: PTH113, PTH114  bytes
            found.append(path)
    return found


def exclude_runs_and_cache(paths: Sequence[bytes], cache: bytes | None) -> list[bytes]:
    """Drop nested repositories, runs of this project, and a cache within the tree from untracked paths."""
    runs = [os.path.dirname(path) for path in paths if os.path.basename(path) == _JOURNAL]  # noqa: PTH119, PTH120  bytes
    excluded = tuple(folder + b"/" for folder in (*runs, cache) if folder is not None)
    return [path for path in paths if path and not path.endswith(b"/") and not path.startswith(excluded)]


def _check_out(copy: Repository, tree_id: str) -> tuple[Path, tuple[str, ...]]:
    """Write the index of a copy to the cache, and return the folder.

    The paths that it lacks are returned, too: submodules, and links out of the tree.

    Raises:
        GitError: git cannot write it.
        SetupError: the cache cannot be written.
    """
    entries = _index(copy)
    links = [os.fsdecode(entry.path) for entry in entries if entry.mode == _LINK]

    def fill(folder: Path) -> None:
        copy.git("checkout-index", "--all", "--quiet", f"--prefix={folder}/")
        top = folder.resolve()
        # before any is removed, as links may lead to links; `resolve` would raise where they form a circle
        outside = [link for link in links if not Path(os.path.realpath(folder / link)).is_relative_to(top)]
        for link in outside:
            (folder / link).unlink()

    folder = get_or_create("trees", entry_key("tree", tree_id), fill)
    submodules = [os.fsdecode(entry.path) for entry in entries if entry.mode == _SUBMODULE]
    removed = [link for link in links if not os.path.lexists(folder / link)]
    return folder, (*submodules, *removed)


def _index(repository: Repository) -> list[_Entry]:
    listed = repository.git("ls-files", "-z", "--stage").split(b"\0")
    return [_parse_entry(line) for line in listed if line]


def _parse_entry(line: bytes) -> _Entry:
    head, _, path = line.partition(b"\t")
    mode, blob, _stage = head.split()
    return _Entry(mode, blob, path)


def _cache_within(folder: Path) -> bytes | None:
    cache = cache_folder().resolve()
    return os.fsencode(cache.relative_to(folder)) if cache.is_relative_to(folder) else None


@contextmanager
def _explain_errors(label: str) -> Iterator[None]:
    """Convert errors of git and the disk into SetupError."""
    try:
        yield
    except GitError as error:
        raise SetupError(
            f"git cannot copy the tree of {label}: {error}",
            hint="see the output of `git fsck`",
        ) from error
    except OSError as error:
        raise SetupError(
            f"cannot copy the tree of {label}: {error.strerror or error}",
            hint="free some disk space, or name another folder in FLAGBENCH_CACHE",
        ) from error
