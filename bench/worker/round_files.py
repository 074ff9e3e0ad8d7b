"""Inspect the files of a round.

Saved flags are compared with those served, and links out of the folder are found.
"""

import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from bench.api import Fetch, Job
from bench.api.bodies import checksum_of_pieces, read_pieces


class FileComparison(NamedTuple):
    """The files of a round, compared with the flags served.

    Attributes:
        verified: number of fetches with their flag on disk as served.
        differing: a line for each flag with other bytes.
        missing: names of flags that were received but not saved.
        unexpected: paths, relative to the round's folder, that belong to no fetch.
    """

    verified: int
    differing: Sequence[str]
    missing: Sequence[str]
    unexpected: Sequence[str]


def list_paths(folder: Path) -> Iterator[Path]:
    """Yield everything below a folder, subfolders and symbolic links included; nothing if it is missing."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def mark_corrupt_fetches(fetches: Iterable[Fetch], reference: Path) -> Iterator[Fetch]:
    """Turn *ok* fetches into *corrupt* ones if their checksum is not that of the flag served."""
    served = cache(lambda name: checksum_of_pieces(_pieces(reference / name)))
    for fetch in fetches:
        is_checked = fetch.outcome == "ok" and fetch.checksum is not None
        if is_checked and fetch.checksum != served(_file_name(fetch)):
            yield fetch._replace(outcome="corrupt", detail="the bytes differ from those served")
        else:
            yield fetch


def compare_files(
    fetches: Iterable[Fetch],
    job: Job,
    reference: Path,
    created: frozenset[Path],
    *,
    sizes_only: bool = False,
) -> FileComparison:
    """Compare every flag that was fetched, as saved and as served.

    Args:
        fetches: returned by the round.
        job: of the round.
        reference: folder of the flags as served.
        created: paths created in the trial's folder during the round.
        sizes_only: compare sizes; nothing counts as verified then.
    """
    sizes_bytes = defaultdict[str, list[int]](list)
    corrupt = defaultdict[str, set[int]](set)
    for fetch in fetches:
        if fetch.outcome == "ok":
            sizes_bytes[_file_name(fetch)].append(fetch.size_bytes)
        elif fetch.checksum is not None:
            corrupt[_file_name(fetch)].add(fetch.checksum)
    verified, differing, missing = 0, [], []
    for name in sorted(sizes_bytes.keys() | corrupt.keys()):
        if not _is_saved(job.folder, name):
            missing.append(name)
            continue
        if sizes_only:
            saved_bytes, served_bytes = (job.folder / name).stat().st_size, _served_size(reference, name)
            wrong = next((each for each in (saved_bytes, *sizes_bytes[name]) if each != served_bytes), None)
            if wrong is not None:
                differing.append(f"{name} has {wrong} bytes, and {served_bytes} when the run began")
            continue
        saved = job.folder / name
        if name in corrupt and checksum_of_pieces(_pieces(saved)) in corrupt[name]:
            verified += len(sizes_bytes[name])  # each by its checksum: the last to be saved was a corrupt one
        elif difference := describe_difference(saved, reference / name, sizes_bytes[name]):
            differing.append(f"{name} {difference}")
        else:
            verified += len(sizes_bytes[name])
    unexpected = {os.path.relpath(path, job.folder) for path in created} - sizes_bytes.keys() - corrupt.keys()
    return FileComparison(verified, differing, missing, sorted(unexpected))


def compare_checksums(
    fetches: Iterable[Fetch],
    job: Job,
    reference: Path,
    created: frozenset[Path],
    *,
    sizes_only: bool = False,
) -> FileComparison:
    """Check flags that were saved on other machines, which send sizes and checksums; no file may be here.

    Args:
        fetches: returned by the round; ``mark_corrupt_fetches`` has compared their checksums.
        job: of the round.
        reference: folder of the flags as served.
        created: paths created in the trial's folder during the round.
        sizes_only: compare sizes; nothing counts as verified then. Otherwise no checksum may be missing.
    """
    verified, differing = 0, list[str]()
    for fetch in fetches:
        if fetch.outcome != "ok":
            continue
        name = _file_name(fetch)
        served_bytes = _served_size(reference, name)
        if sizes_only:
            if fetch.size_bytes != served_bytes:
                differing.append(
                    f"{name} has {fetch.size_bytes} bytes, and {served_bytes} when the run began"
                )
        elif fetch.checksum is None:
            differing.append(f"{name} has no checksum of the machine that fetched it")
        elif fetch.size_bytes != served_bytes:
            differing.append(f"{name} was received with {fetch.size_bytes} bytes, {served_bytes} were served")
        else:
            verified += 1
    unexpected = sorted(os.path.relpath(path, job.folder) for path in created)
    return FileComparison(verified, differing, (), unexpected)


def describe_difference(saved: Path, served: Path, received_bytes: Sequence[int]) -> str | None:
    """Describe how a saved flag differs from the one served; None if all its fetches received it whole.

    A flag that was not served has no bytes.
    """
    served_bytes = served.stat().st_size if served.is_file() else 0
    offset = _first_difference(saved, served)
    if offset is not None:
        return f"differs at byte {offset} ({saved.stat().st_size} bytes, {served_bytes} were served)"
    wrong = next((size for size in received_bytes if size != served_bytes), None)
    return None if wrong is None else f"was once received with {wrong} bytes, {served_bytes} were served"


def _first_difference(saved: Path, served: Path) -> int | None:
    """Return the first byte in which two files differ, or None; only pieces of them are in memory."""
    start = 0
    for one, other in zip_longest(_pieces(saved), _pieces(served), fillvalue=b""):
        if one != other:
            same = (offset for offset, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
            return start + next(same, min(len(one), len(other)))
        start += len(one)
    return None


def _pieces(file: Path) -> Iterator[bytes]:
    """Yield the content of a file in pieces; nothing if there is none."""
    return read_pieces(str(file)) if file.is_file() else iter(())


def find_escaping_links(folder: Path, created: Iterable[Path]) -> list[str]:
    """Describe the links out of a trial's folder through which outside files could be changed.

    A symbolic link leads to its target; a hard link leads out if its file has more names than there are
    below the folder. The folder itself may have been replaced by a link, too.
    """
    if folder.is_symlink():
        return [f"{folder.name} -> {_target(folder)}"]
    states = [(path, state) for path in created if (state := _lstat(path)) is not None]
    root = os.path.realpath(folder)
    symbolic = [
        f"{path.relative_to(folder)} -> {_target(path)}"
        for path, state in states
        if stat.S_ISLNK(state.st_mode) and not Path(os.path.realpath(path)).is_relative_to(root)
    ]
    names = defaultdict[tuple[int, int], list[Path]](list)
    links: dict[tuple[int, int], int] = {}
    for path, state in states:
        if stat.S_ISREG(state.st_mode):
            names[state.st_dev, state.st_ino].append(path)
            links[state.st_dev, state.st_ino] = state.st_nlink
    hard = [
        f"{min(paths).relative_to(folder)} is a hard link to an outside file"
        for file, paths in names.items()
        if len(paths) < links[file]
    ]
    return sorted(symbolic) + sorted(hard)


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:  # removed meanwhile
        return None


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return "?"


def _file_name(fetch: Fetch) -> str:
    return f"{fetch.country.lower()}.gif"


def _served_size(reference: Path, name: str) -> int:
    file = reference / name
    return file.stat().st_size if file.is_file() else 0


def _is_saved(folder: Path, name: str) -> bool:
    """Tell whether the flag is a regular file of its own.

    A link to another file is no download.
    """
    path = folder / name
    return path.is_file() and not path.is_symlink() and not folder.is_symlink()
