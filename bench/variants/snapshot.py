"""A revision, or a folder as it is, taken into a repository of our own and laid out in the cache."""

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench.storage.run_folder import JOURNAL
from bench.variants.cache import get_or_create, key_of, root
from bench.variants.git import Repository, ScratchRepository

_LINK: Final = b"120000"
_SUBMODULE: Final = b"160000"
_NO_BYTECODE: Final = "--exclude=__pycache__/"
_JOURNAL: Final = JOURNAL.encode()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Files in the cache.

    Attributes:
        folder: where they are; equal contents are in one folder.
        id: git's hash of them.
        left_out: what is not in the folder: submodules and links that lead out of it.
    """

    folder: Path
    id: str
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of git's index: mode, object and stage, and the path."""

    head: bytes
    path: bytes

    @property
    def mode(self) -> bytes:
        return self.head.partition(b" ")[0]


def take_revision(ours: ScratchRepository, commit: str) -> str:
    """Take all files of a commit, and return git's hash of them.

    Raises:
        GitError: they cannot be had.
    """
    # no `write-tree`: what it finds written already it gives a new date, also in the user's repository
    tree = ours.ask("rev-parse", "--verify", f"{commit}^{{tree}}").decode()
    ours.ask("read-tree", tree)
    return tree


def take_folder(ours: ScratchRepository, repository: Repository | None) -> str:
    """Take the files of our work tree as they are: what a repository tracks, and what it does not ignore.

    Without a repository that is everything. Untracked bytecode and runs of this project are left out, and
    the cache: a tree must not change because it was measured. Return git's hash of what was taken.

    Raises:
        GitError: they cannot be read.
    """
    if repository is None:
        tracked = []
        others = ours.ask("ls-files", "-z", "--others", _NO_BYTECODE)
    else:
        tracked = _entries(repository.ask("ls-files", "-z", "--stage"))
        others = repository.ask("ls-files", "-z", "--others", "--exclude-standard", _NO_BYTECODE)
    wanted = present(ours.work_tree, [entry.path for entry in tracked if entry.mode != _SUBMODULE])
    wanted += untracked(others.split(b"\0"), _cache_within(ours.work_tree))
    ours.ask("update-index", "--add", "-z", "--stdin", fed=b"".join(path + b"\0" for path in wanted))
    # submodules come last: git would run itself within them, by their configs, to see how they are
    _put(ours, [entry for entry in tracked if entry.mode == _SUBMODULE])
    return ours.ask("write-tree").decode()


def present(folder: Path, paths: Iterable[bytes]) -> list[bytes]:
    """Keep the paths at which there still is a file or a link, not one beyond a link to elsewhere."""
    top = os.fsencode(folder.resolve())
    parents: dict[bytes, bool] = {}
    found = []
    for path in paths:
        parent, _, _ = path.rpartition(b"/")
        if parent not in parents:
            place = top + b"/" + parent if parent else top
            parents[parent] = os.path.realpath(place) == place
        if parents[parent] and _is_file_or_link(top + b"/" + path):
            found.append(path)
    return found


def untracked(paths: Sequence[bytes], cache: bytes | None) -> list[bytes]:
    """Leave out repositories within the tree, runs of this project, and the cache, if it lies in the tree."""
    runs = {os.path.dirname(path) + b"/" for path in paths if os.path.basename(path) == _JOURNAL}  # noqa: PTH119, PTH120  bytes
    barred = (*runs, *(() if cache is None else (cache + b"/",)))
    return [path for path in paths if path and not path.endswith(b"/") and not path.startswith(barred)]


def lay_out(ours: ScratchRepository, tree: str) -> Snapshot:
    """Have a folder of the cache that holds what was taken, byte for byte; ``tree`` is git's hash of it.

    Raises:
        GitError: git cannot write it.
        EnvironmentFault: the cache cannot be written.
    """
    entries = _entries(ours.ask("ls-files", "-z", "--stage"))
    links = [entry.path for entry in entries if entry.mode == _LINK]

    def fill(folder: Path) -> None:
        replace(ours, work_tree=folder).ask("checkout-index", "--all", "--quiet")
        for link in _leading_out(folder, links):
            link.unlink()

    folder = get_or_create("trees", key_of("tree", tree), fill)
    submodules = [entry.path for entry in entries if entry.mode == _SUBMODULE]
    gone = [link for link in links if not os.path.lexists(folder / os.fsdecode(link))]
    return Snapshot(folder, tree, tuple(os.fsdecode(path) for path in (*submodules, *gone)))


def _put(ours: ScratchRepository, entries: Iterable[_Entry]) -> None:
    lines = b"".join(entry.head + b"\t" + entry.path + b"\0" for entry in entries)
    ours.ask("update-index", "-z", "--index-info", fed=lines)


def _entries(listed: bytes) -> list[_Entry]:
    split = (line.partition(b"\t") for line in listed.split(b"\0") if line)
    return [_Entry(head, path) for head, _, path in split]


def _is_file_or_link(path: bytes) -> bool:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def _cache_within(folder: Path) -> bytes | None:
    cache, top = root().resolve(), folder.resolve()
    return os.fsencode(cache.relative_to(top)) if cache.is_relative_to(top) else None


def _leading_out(folder: Path, links: Iterable[bytes]) -> list[Path]:
    """Find the links that end outside of the folder, before any of them is gone."""
    top = folder.resolve()
    found = [folder / os.fsdecode(link) for link in links]
    # `resolve` raises where links go round in circles
    return [link for link in found if not Path(os.path.realpath(link)).is_relative_to(top)]
