"""Judging a round by what it returned and left on disk."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from zlib import crc32

import pytest

from bench.api import Fetch, Job
from bench.api.outcomes import FetchOutcome
from bench.worker.verify import Problem, Verified, describe_difference, entries, verify_round

FLAGS = {"BR": b"flag of Brazil", "CN": b"flag of China"}


def a_fetch(country: str, outcome: FetchOutcome = "ok", *, size_bytes: int | None = None) -> Fetch:
    """Return a fetch of a flag, whole unless said otherwise."""
    size_bytes = len(FLAGS.get(country, b"")) if size_bytes is None else size_bytes
    return Fetch(country, 0.0, 0.1, 200 if outcome == "ok" else 404, size_bytes, outcome)


class Folder:
    """A round's folder beside the reference."""

    def __init__(self, root: Path) -> None:
        self.reference = root / "reference"
        self.saved = root / "saved"
        for folder in (self.reference, self.saved):
            folder.mkdir()
            for country, flag in FLAGS.items():
                (folder / f"{country.lower()}.gif").write_bytes(flag)

    def verify(
        self, returned: Sequence[Fetch], asked: Sequence[str] = ("BR", "CN"), *before: str
    ) -> Verified:
        """Verify a round that took a quarter of a second."""
        job = Job(tuple(asked), 1, "http://server", self.saved, "fake")
        made = frozenset(entries(self.saved)) - {self.saved / name for name in before}
        return verify_round(returned, 0.25, job, self.reference, made)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Lay out a round in which everything was saved as it is served."""
    return Folder(tmp_path)


def test_a_round_is_fine_when_every_flag_is_there(folder: Folder) -> None:
    """Fetches are counted by class, and all of them are verified."""
    verified = folder.verify([a_fetch("CN"), a_fetch("BR")])
    assert verified.flaw is None
    assert (verified.report.elapsed_s, verified.report.fetches, verified.report.verified) == (
        0.25,
        {"ok": 2},
        2,
    )


def test_a_failed_fetch_is_no_flaw(folder: Folder) -> None:
    """Its flag need not be there; the first few failures are told in a line each."""
    asked = ["CN", *(f"X{letter}" for letter in "ABCDEFG")]
    (folder.saved / "br.gif").unlink()
    fetches = [a_fetch("CN"), *(a_fetch(country, "not_found") for country in asked[1:])]
    verified = folder.verify(fetches, asked)
    assert verified.flaw is None
    assert verified.report.fetches == {"ok": 1, "not_found": 7}
    assert verified.report.failures == tuple(f"X{x}: not_found: HTTP status 404" for x in "ABCDE")


def test_what_was_there_before_is_not_the_rounds(folder: Folder) -> None:
    """A live download goes to a folder with other things in it."""
    (folder.saved / "mine.txt").touch()
    fetches = [a_fetch("BR"), a_fetch("CN")]
    assert folder.verify(fetches, ("BR", "CN"), "mine.txt").flaw is None
    assert folder.verify(fetches).flaw == Problem("unexpected", "1 unexpected file: mine.txt")


def test_the_flag_of_a_failed_fetch_is_unexpected(folder: Folder) -> None:
    """A strategy that says *not found* has not saved it either."""
    flaw = folder.verify([a_fetch("BR"), a_fetch("CN", "not_found")]).flaw
    assert flaw == Problem("unexpected", "1 unexpected file: cn.gif")


def test_each_fetch_of_a_repeated_country_must_have_been_whole(folder: Folder) -> None:
    """A right file does not excuse a second, shorter answer."""
    fetches = [a_fetch("BR"), a_fetch("BR", size_bytes=3), a_fetch("CN")]
    verified = folder.verify(fetches, ("BR", "BR", "CN"))
    assert verified.flaw == Problem("corrupt", "br.gif was once received with 3 bytes, 14 were served")
    assert verified.report.verified == 1


def test_other_bytes_than_are_served_are_corrupt_fetch_by_fetch(folder: Folder) -> None:
    """Where it was asked for checksums: each fetch has its own, and the file may be any of theirs."""
    wrong = b"flag of nobody"
    good = a_fetch("BR")._replace(checksum=crc32(FLAGS["BR"]))
    fetches = [good, good._replace(checksum=crc32(wrong)), a_fetch("CN")]
    for saved in (FLAGS["BR"], wrong):
        (folder.saved / "br.gif").write_bytes(saved)
        verified = folder.verify(fetches, ("BR", "BR", "CN"))
        assert verified.flaw is None
        assert (verified.report.fetches, verified.report.verified) == ({"ok": 2, "corrupt": 1}, 2)
        assert verified.report.failures == ("BR: corrupt: other bytes than are served",)
    (folder.saved / "br.gif").write_bytes(b"neither of them")
    flaw = folder.verify(fetches, ("BR", "BR", "CN")).flaw
    assert flaw is not None
    assert flaw.detail.startswith("br.gif differs at byte 0")
    (folder.saved / "br.gif").unlink()
    flaw = folder.verify([fetches[1], a_fetch("CN")]).flaw
    assert flaw == Problem("missing", "1 file missing: br.gif")


def test_a_flag_that_is_not_served_cannot_be_right(folder: Folder) -> None:
    """An answer of 200 for a country the server does not know."""
    (folder.reference / "br.gif").unlink()
    flaw = folder.verify([a_fetch("BR"), a_fetch("CN")]).flaw
    assert flaw == Problem("corrupt", "br.gif differs at byte 0 (14 bytes, 0 were served)")


def test_the_gravest_flaw_comes_first(folder: Folder) -> None:
    """Several things are wrong; a wrong byte is worse than a file too many."""
    (folder.saved / "br.gif").write_bytes(b"flag of Brasil")
    (folder.saved / "x.tmp").touch()
    flaw = folder.verify([a_fetch("BR"), a_fetch("CN")]).flaw
    assert flaw == Problem("corrupt", "br.gif differs at byte 11 (14 bytes, 14 were served)")


def test_what_this_machine_lacked_comes_before_everything(folder: Folder) -> None:
    """Whatever else is wrong may come of it."""
    (folder.saved / "br.gif").write_bytes(b"flag of Brasil")
    lacking = a_fetch("CN", "local_resource")._replace(detail="OSError: [Errno 24] Too many open files")
    verified = folder.verify([a_fetch("BR"), lacking])
    assert verified.flaw == Problem("invalid", "local_resource: CN: OSError: [Errno 24] Too many open files")
    assert verified.report.fetches == {"ok": 1, "local_resource": 1}


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("cn.gif")])
def test_only_a_file_is_a_flag(folder: Folder, make: Callable[[Path], None]) -> None:
    """A folder, a FIFO or a link in its place, even one to the right bytes, is a file missing."""
    flag = folder.saved / "br.gif"
    flag.unlink()
    (folder.reference / "br.gif").write_bytes(FLAGS["CN"])
    make(flag)
    verified = folder.verify([a_fetch("BR"), a_fetch("CN")])
    assert verified.flaw == Problem("missing", "1 file missing: br.gif")
    assert verified.report.verified == 1


def test_everything_below_the_folder_is_looked_at(folder: Folder) -> None:
    """Folders, links, and what lies in folders that were there before."""
    for name in ("old", "new"):
        (folder.saved / name).mkdir()
        (folder.saved / name / "note.txt").touch()
    (folder.saved / "link").symlink_to("old")
    flaw = folder.verify([a_fetch("BR"), a_fetch("CN")], ("BR", "CN"), "old").flaw
    assert flaw == Problem("unexpected", "4 unexpected files: link, new, new/note.txt, old/note.txt")


def test_only_the_first_few_names_are_told(folder: Folder) -> None:
    """A line stays a line."""
    asked = tuple(f"X{letter}" for letter in "ABCDEFGH")
    flaw = folder.verify([a_fetch("BR"), a_fetch("CN")], ("BR", "CN", *asked)).flaw
    assert flaw == Problem("missing", "8 fetches missing: XA, XB, XC, XD, XE and 3 more")


@pytest.mark.parametrize(
    ("saved", "served", "difference"),
    [
        (b"abc", b"abc", ""),
        (b"abX", b"abc", "differs at byte 2 (3 bytes, 3 were served)"),
        (b"ab", b"abc", "differs at byte 2 (2 bytes, 3 were served)"),
        (b"abcd", b"abc", "differs at byte 3 (4 bytes, 3 were served)"),
        (b"", b"abc", "differs at byte 0 (0 bytes, 3 were served)"),
    ],
)
def test_the_first_wrong_byte_is_named(saved: bytes, served: bytes, difference: str) -> None:
    """Its offset, and both sizes."""
    assert describe_difference(saved, served, [len(served)]) == difference
