"""What a round really brought: the fetches it returned against the flags it saved and those served."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final
from zlib import crc32

from bench.api import Fetch, Job
from bench.model.text import count_names, one_line
from bench.worker.protocol import TimedRound, TrialOutcome

_FAILURES: Final = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a round does not count, in one word and one line."""

    outcome: TrialOutcome
    detail: str


@dataclass(frozen=True, slots=True)
class Verified:
    """A round as reported, and its gravest flaw if it has any."""

    report: TimedRound
    flaw: Problem | None


@dataclass(frozen=True, slots=True)
class Files:
    """How the files of a round compare with the flags served.

    Attributes:
        right: fetches whose flag is on disk as served.
        differing: what is wrong, a line for each differing flag.
        missing: names of flags that were answered but not saved.
        surplus: names nobody asked for, as seen from the round's folder.
    """

    right: int
    differing: tuple[str, ...]
    missing: tuple[str, ...]
    surplus: tuple[str, ...]


def entries(folder: Path) -> Iterator[Path]:
    """Yield everything below a folder, folders and symbolic links included; nothing if it is not there."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def verify_round(
    returned: Sequence[Fetch], elapsed_s: float, job: Job, reference: Path, made: frozenset[Path]
) -> Verified:
    """Compare what ``download_many`` returned and saved with what was asked and served.

    ``reference`` is the folder of the flags as served, ``made`` what is in the trial's folder since the
    round.
    """
    returned = list(reclassified(returned, reference))
    files = compare_files(returned, job, reference, made)
    report = TimedRound(
        elapsed_s,
        fetches=dict(Counter(fetch.outcome for fetch in returned)),
        verified=files.right,
        failures=tuple(islice(_failures(returned), _FAILURES)),
    )
    fetched = [fetch.country for fetch in returned]
    lacking = next((fetch for fetch in returned if fetch.outcome == "local_resource"), None)
    if lacking is not None:
        detail = one_line(f"local_resource: {lacking.country}: {one_line(lacking.detail)}")
        return Verified(report, Problem("invalid", detail))
    return Verified(report, next(problems(job.countries, fetched, files), None))


def reclassified(fetches: Iterable[Fetch], reference: Path) -> Iterator[Fetch]:
    """Call *corrupt* what a client had to take for right, but whose bytes are not those served."""
    for fetch in fetches:
        if fetch.outcome == "ok" and fetch.checksum is not None:
            served = _served(reference, f"{fetch.country.lower()}.gif")
            if fetch.checksum != crc32(served):
                yield fetch._replace(outcome="corrupt", detail="other bytes than are served")
                continue
        yield fetch


def compare_files(fetches: Iterable[Fetch], job: Job, reference: Path, made: frozenset[Path]) -> Files:
    """Read every flag that was fetched, as saved and as served, and see whether they are equal."""
    sizes_bytes = defaultdict[str, list[int]](list)
    corrupt = defaultdict[str, set[int]](set)
    for fetch in fetches:
        name = f"{fetch.country.lower()}.gif"
        if fetch.outcome == "ok":
            sizes_bytes[name].append(fetch.size_bytes)
        elif fetch.checksum is not None:
            corrupt[name].add(fetch.checksum)
    right, differing, missing = 0, [], []
    for name in sorted(sizes_bytes.keys() | corrupt.keys()):
        if not _is_saved(job.folder, name):
            missing.append(name)
            continue
        saved = (job.folder / name).read_bytes()
        if name in corrupt and crc32(saved) in corrupt[name]:
            right += len(sizes_bytes[name])  # each by its checksum: the last to be saved was a corrupt one
        elif difference := describe_difference(saved, _served(reference, name), sizes_bytes[name]):
            differing.append(f"{name} {difference}")
        else:
            right += len(sizes_bytes[name])
    surplus = {os.path.relpath(path, job.folder) for path in made} - sizes_bytes.keys() - corrupt.keys()
    return Files(right, tuple(differing), tuple(missing), tuple(sorted(surplus)))


def describe_difference(saved: bytes, served: bytes, received_bytes: Sequence[int]) -> str:
    """Say where a flag differs from what is served; nothing if it was right each time it was received."""
    if saved != served:
        offset = next(
            (offset for offset, (a, b) in enumerate(zip(saved, served, strict=False)) if a != b),
            min(len(saved), len(served)),
        )
        return f"differs at byte {offset} ({len(saved)} bytes, {len(served)} were served)"
    wrong = [size for size in received_bytes if size != len(served)]
    return f"was once received with {wrong[0]} bytes, {len(served)} were served" if wrong else ""


def problems(asked: Sequence[str], fetched: Sequence[str], files: Files) -> Iterator[Problem]:
    """Yield what is wrong with a round, the gravest first."""
    lost, added = Counter(asked) - Counter(fetched), Counter(fetched) - Counter(asked)
    if lost:
        yield Problem("missing", count_names(sorted(lost.elements()), "fetch missing", "fetches missing"))
    if files.differing:
        yield Problem("corrupt", files.differing[0])
    if files.missing:
        yield Problem("missing", count_names(files.missing, "file missing", "files missing"))
    if added:
        yield Problem(
            "unexpected", count_names(sorted(added.elements()), "unexpected fetch", "unexpected fetches")
        )
    if files.surplus:
        yield Problem("unexpected", count_names(files.surplus, "unexpected file", "unexpected files"))


def _served(reference: Path, name: str) -> bytes:
    file = reference / name
    return file.read_bytes() if file.is_file() else b""


def _is_saved(folder: Path, name: str) -> bool:
    """Say whether there is a file of its own; a link to another is no download."""
    path = folder / name
    return path.is_file() and not path.is_symlink() and not folder.is_symlink()


def _failures(fetches: Iterable[Fetch]) -> Iterator[str]:
    for fetch in fetches:
        if fetch.outcome != "ok":
            words = one_line(fetch.detail) or f"HTTP status {fetch.status}"
            yield one_line(f"{fetch.country}: {fetch.outcome}: {words}")
