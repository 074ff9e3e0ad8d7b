"""Files that a round saves, and links that lead out of its trial's folder."""

import os
import tracemalloc
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from bench.api import Fetch, Job
from bench.worker.round_files import (
    FileComparison,
    compare_checksums,
    compare_files,
    describe_difference,
    find_escaping_links,
    list_paths,
    mark_corrupt_fetches,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Create the folder of a trial with one round and one flag in it, next to another file."""
    (tmp_path / "outside.gif").write_bytes(b"GIF")
    round_ = tmp_path / "trial" / "1"
    round_.mkdir(parents=True)
    (round_ / "br.gif").write_bytes(b"GIF")
    return tmp_path / "trial"


def links_out_of(folder: Path) -> list[str]:
    return find_escaping_links(folder, list_paths(folder))


def test_links_within_the_folder_are_allowed(folder: Path) -> None:
    (folder / "1" / "cn.gif").symlink_to("br.gif")
    (folder / "1" / "in.gif").symlink_to("nowhere.gif")
    (folder / "2").symlink_to("1")
    os.link(folder / "1" / "br.gif", folder / "de.gif")
    assert links_out_of(folder) == []


def test_symbolic_links_to_the_outside_are_reported(folder: Path) -> None:
    """Absolute or relative, to a file, a folder or a missing target, also through another link."""
    (folder / "1" / "a").symlink_to("../../outside.gif")
    (folder / "1" / "b").symlink_to(folder.parent)
    (folder / "1" / "c").symlink_to("/nowhere/at/all")
    (folder / "1" / "d").symlink_to("a")
    assert links_out_of(folder) == [
        "1/a -> ../../outside.gif",
        f"1/b -> {folder.parent}",
        "1/c -> /nowhere/at/all",
        "1/d -> a",
    ]


def test_hard_link_to_an_outside_file_is_reported(folder: Path) -> None:
    os.link(folder.parent / "outside.gif", folder / "1" / "cn.gif")
    assert links_out_of(folder) == ["1/cn.gif is a hard link to an outside file"]


def test_folder_replaced_by_a_link_is_reported(folder: Path) -> None:
    """The folder of the round, or that of the trial."""
    (folder / "1").rename(folder.parent / "elsewhere")
    (folder / "1").symlink_to(folder.parent / "elsewhere")
    assert links_out_of(folder) == [f"1 -> {folder.parent}/elsewhere"]
    folder.rename(folder.parent / "moved")
    folder.symlink_to("moved")
    assert links_out_of(folder) == ["trial -> moved"]


def test_path_removed_meanwhile_is_ignored(folder: Path) -> None:
    """A thread of the strategy may still be at work."""
    assert find_escaping_links(folder, [folder / "gone"]) == []


@pytest.mark.parametrize(
    ("saved", "served", "difference"),
    [
        (b"abc", b"abc", None),
        (b"abX", b"abc", "differs at byte 2 (3 bytes, 3 were served)"),
        (b"ab", b"abc", "differs at byte 2 (2 bytes, 3 were served)"),
        (b"abcd", b"abc", "differs at byte 3 (4 bytes, 3 were served)"),
        (b"", b"abc", "differs at byte 0 (0 bytes, 3 were served)"),
    ],
)
def test_first_wrong_byte_and_both_sizes_are_named(
    tmp_path: Path, saved: bytes, served: bytes, difference: str | None
) -> None:
    for name, content in (("saved", saved), ("served", served)):
        (tmp_path / name).write_bytes(content)
    assert describe_difference(tmp_path / "saved", tmp_path / "served", [len(served)]) == difference


@pytest.mark.parametrize("at", [0, (1 << 20) - 1, 1 << 20, 3_000_000])
def test_first_wrong_byte_of_a_large_flag_is_found_in_little_memory(tmp_path: Path, at: int) -> None:
    served = bytearray(10 << 20)
    (tmp_path / "served").write_bytes(served)
    served[at] = 1
    (tmp_path / "saved").write_bytes(served)
    del served
    tracemalloc.start()
    try:
        found = describe_difference(tmp_path / "saved", tmp_path / "served", [10 << 20])
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == f"differs at byte {at} (10485760 bytes, 10485760 were served)"
    assert most_bytes < 5 << 20


def test_flag_that_was_not_served_differs_at_its_first_byte(tmp_path: Path) -> None:
    (tmp_path / "saved").write_bytes(b"abc")
    expected = "differs at byte 0 (3 bytes, 0 were served)"
    assert describe_difference(tmp_path / "saved", tmp_path / "served", [3]) == expected


@pytest.mark.parametrize(
    ("content", "received", "line"),
    [
        (b"GIX", 3, None),
        (b"GIF8", 4, "br.gif has 4 bytes, and 3 when the run began"),
        (b"GIF", 4, "br.gif has 4 bytes, and 3 when the run began"),
    ],
)
def test_sizes_alone_are_compared_and_verify_nothing(
    tmp_path: Path, content: bytes, received: int, line: str | None
) -> None:
    reference, folder = tmp_path / "reference", tmp_path / "round"
    for place, written in ((reference, b"GIF"), (folder, content)):
        place.mkdir()
        (place / "br.gif").write_bytes(written)
    job = Job(("BR",), 1, "http://127.0.0.1:9", folder, "requests")
    fetch = Fetch("BR", 0.0, 0.0, 200, received, "ok")
    created = frozenset({folder / "br.gif"})
    found = compare_files([fetch], job, reference, created, sizes_only=True)
    assert found.verified == 0
    assert found.differing == ([] if line is None else [line])
    assert (found.missing, found.unexpected) == ([], [])


ELSEWHERE = Fetch("BR", 0.0, 0.1, 200, 3, "ok", checksum=crc32(b"GIF"))
"""A fetch whose flag stayed on the machine of a cluster."""


def checksums_of(
    folder: Path, *fetches: Fetch, created: str = "", sizes_only: bool = False
) -> FileComparison:
    """Compare the checksums of a round as its worker does, with the flags of Brazil and China as served."""
    reference = folder / "reference"
    reference.mkdir()
    (reference / "br.gif").write_bytes(b"GIF")
    (reference / "cn.gif").write_bytes(b"GIF8")
    job = Job(("BR",), 1, "http://127.0.0.1:9", folder / "round", "requests")
    paths = frozenset({job.folder / created} if created else ())
    marked = list(fetches if sizes_only else mark_corrupt_fetches(fetches, reference))
    return compare_checksums(marked, job, reference, paths, sizes_only=sizes_only)


def test_flags_on_other_machines_are_verified_by_their_checksums(tmp_path: Path) -> None:
    """Each fetch counts, also one of a country that was asked for twice."""
    china = ELSEWHERE._replace(country="CN", size_bytes=4, checksum=crc32(b"GIF8"))
    missing = Fetch("DE", 0.0, 0.1, 404, 0, "not_found")
    found = checksums_of(tmp_path, ELSEWHERE, china, ELSEWHERE, missing)
    assert found == FileComparison(3, [], (), [])


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"checksum": None}, "br.gif has no checksum of the machine that fetched it"),
        ({"size_bytes": 2}, "br.gif was received with 2 bytes, 3 were served"),
        ({"country": "FR", "checksum": crc32(b"")}, "fr.gif was received with 3 bytes, 0 were served"),
        ({"country": "CN"}, None),
        ({"checksum": crc32(b"GIX")}, None),
    ],
)
def test_flag_on_another_machine_that_is_not_as_served_is_not_verified(
    tmp_path: Path, changes: dict[str, Any], line: str | None
) -> None:
    """With another checksum its fetch is corrupt, which the outcomes of the round show."""
    found = checksums_of(tmp_path, ELSEWHERE, ELSEWHERE._replace(**changes))
    assert (found.verified, found.differing) == (1, [] if line is None else [line])


def test_file_here_is_unexpected_where_flags_stay_on_other_machines(tmp_path: Path) -> None:
    """Even that of a flag which was fetched."""
    assert checksums_of(tmp_path, ELSEWHERE, created="br.gif").unexpected == ["br.gif"]


@pytest.mark.parametrize(
    ("size_bytes", "differing"), [(3, []), (4, ["br.gif has 4 bytes, and 3 when the run began"])]
)
def test_only_sizes_are_compared_of_files_whose_content_may_change(
    tmp_path: Path, size_bytes: int, differing: list[str]
) -> None:
    """Those of a target without checksums: machines of a cluster send them anyway, and they say nothing."""
    changed = ELSEWHERE._replace(size_bytes=size_bytes, checksum=crc32(b"GIX"))
    found = checksums_of(tmp_path, changed, sizes_only=True)
    assert (found.verified, found.differing) == (0, differing)
