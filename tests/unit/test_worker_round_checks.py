"""Checks of a round: its return value, its fetches and its files."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from bench.api import Fetch, Job
from bench.api.outcomes import FetchOutcome
from bench.model.trial_outcome import Invalid
from bench.worker.round_checks import FinishedRound, check_return_value, check_round, describe_failures
from bench.worker.round_files import compare_files, list_paths, mark_corrupt_fetches

FLAGS = {"BR": b"flag of Brazil", "CN": b"flag of China"}
CALLED_S, RETURNED_S = 100.0, 101.0
GOOD = Fetch("BR", 100.1, 100.9, 200, 16, "ok", "", 100.8)


def a_fetch(country: str, outcome: FetchOutcome = "ok", *, size_bytes: int | None = None) -> Fetch:
    """Return a fetch of a flag, whole unless said otherwise."""
    size_bytes = len(FLAGS.get(country, b"")) if size_bytes is None else size_bytes
    return Fetch(country, 0.0, 0.1, 200 if outcome == "ok" else 404, size_bytes, outcome)


class Folder:
    """A round's folder next to the reference."""

    def __init__(self, root: Path) -> None:
        self.reference = root / "reference"
        self.saved = root / "saved"
        for folder in (self.reference, self.saved):
            folder.mkdir()
            for country, flag in FLAGS.items():
                (folder / f"{country.lower()}.gif").write_bytes(flag)

    def finish(
        self, returned: Sequence[Fetch], asked: Sequence[str] = ("BR", "CN"), *before: str
    ) -> FinishedRound:
        """Compare the fetches of a round with the files; those named were there before it."""
        job = Job(tuple(asked), 1, "http://server", self.saved, "fake")
        created = frozenset(list_paths(self.saved)) - {self.saved / name for name in before}
        fetches = list(mark_corrupt_fetches(returned, self.reference))
        files = compare_files(fetches, job, self.reference, created)
        return FinishedRound(job.countries, None, fetches, files, ())

    def check(self, *arguments: Any) -> Invalid | None:
        """Return the problem of a round, with the arguments of ``finish``."""
        return check_round(self.finish(*arguments))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Lay out a round in which everything was saved as it is served."""
    return Folder(tmp_path)


def test_round_with_every_flag_is_valid(folder: Folder) -> None:
    finished = folder.finish([a_fetch("CN"), a_fetch("BR")])
    assert check_round(finished) is None
    assert finished.files.verified == 2


def test_failed_fetch_is_valid_without_its_flag(folder: Folder) -> None:
    """The first five failures are described in a line each."""
    asked = ["CN", *(f"X{letter}" for letter in "ABCDEFG")]
    (folder.saved / "br.gif").unlink()
    fetches = [a_fetch("CN"), *(a_fetch(country, "not_found") for country in asked[1:])]
    assert folder.check(fetches, asked) is None
    assert describe_failures(fetches) == tuple(f"X{x}: not_found: HTTP status 404" for x in "ABCDE")


def test_file_from_before_the_round_is_ignored(folder: Folder) -> None:
    """A live download goes to a folder with other things in it."""
    (folder.saved / "mine.txt").touch()
    fetches = [a_fetch("BR"), a_fetch("CN")]
    assert folder.check(fetches, ("BR", "CN"), "mine.txt") is None
    assert folder.check(fetches) == Invalid("unexpected", "1 unexpected file: mine.txt")


def test_part_of_a_body_that_was_left_is_unexpected(folder: Folder) -> None:
    (folder.saved / ".part-7-1").write_bytes(FLAGS["BR"])
    problem = folder.check([a_fetch("BR"), a_fetch("CN")])
    assert problem == Invalid("unexpected", "1 unexpected file: .part-7-1")


def test_flag_of_a_failed_fetch_is_unexpected(folder: Folder) -> None:
    problem = folder.check([a_fetch("BR"), a_fetch("CN", "not_found")])
    assert problem == Invalid("unexpected", "1 unexpected file: cn.gif")


def test_each_fetch_of_a_repeated_country_must_have_been_whole(folder: Folder) -> None:
    """A correct file does not excuse a second, shorter answer."""
    fetches = [a_fetch("BR"), a_fetch("BR", size_bytes=3), a_fetch("CN")]
    finished = folder.finish(fetches, ("BR", "BR", "CN"))
    assert check_round(finished) == Invalid(
        "corrupt", "br.gif was once received with 3 bytes, 14 were served"
    )
    assert finished.files.verified == 1


def test_flag_without_its_cpu_work_is_missing_something(folder: Folder) -> None:
    """A strategy may have left the work out of its job."""
    finished = folder.finish([a_fetch("BR"), a_fetch("CN")])._replace(unprocessed=("CN",))
    assert check_round(finished) == Invalid("missing", "1 flag without its CPU work: CN")


def test_each_fetch_is_corrupt_or_not_by_its_own_checksum(folder: Folder) -> None:
    """The file may be that of any of them."""
    wrong = b"flag of nobody"
    good = a_fetch("BR")._replace(checksum=crc32(FLAGS["BR"]))
    fetches = [good, good._replace(checksum=crc32(wrong)), a_fetch("CN")]
    for saved in (FLAGS["BR"], wrong):
        (folder.saved / "br.gif").write_bytes(saved)
        finished = folder.finish(fetches, ("BR", "BR", "CN"))
        assert check_round(finished) is None
        assert [fetch.outcome for fetch in finished.fetches] == ["ok", "corrupt", "ok"]
        assert finished.files.verified == 2
        failures = describe_failures(finished.fetches)
        assert failures == ("BR: corrupt: the bytes differ from those served",)
    (folder.saved / "br.gif").write_bytes(b"neither of them")
    problem = folder.check(fetches, ("BR", "BR", "CN"))
    assert problem is not None
    assert problem.detail.startswith("br.gif differs at byte 0")
    (folder.saved / "br.gif").unlink()
    assert folder.check([fetches[1], a_fetch("CN")]) == Invalid("missing", "1 file missing: br.gif")


def test_flag_that_is_not_served_is_corrupt(folder: Folder) -> None:
    """An answer of 200 for a country that the server does not know."""
    (folder.reference / "br.gif").unlink()
    problem = folder.check([a_fetch("BR"), a_fetch("CN")])
    assert problem == Invalid("corrupt", "br.gif differs at byte 0 (14 bytes, 0 were served)")


def test_most_serious_problem_comes_first(folder: Folder) -> None:
    """Problems are removed one after the other, from the most serious to the least."""
    (folder.saved / "br.gif").write_bytes(b"flag of Brasil")
    (folder.saved / "cn.gif").unlink()
    (folder.saved / "x.tmp").touch()
    lacking = a_fetch("DE", "local_resource")._replace(detail="OSError: [Errno 24] Too many open files")
    finished = folder.finish([a_fetch("BR"), a_fetch("CN"), a_fetch("ZZ", "not_found"), lacking])
    finished = finished._replace(
        countries=("BR", "CN", "DE", "IN"), return_problem=Invalid("error", "x"), links=["a -> b"]
    )
    assert check_round(finished) == Invalid(
        "invalid", "local_resource: DE: OSError: [Errno 24] Too many open files"
    )
    finished = finished._replace(fetches=finished.fetches[:-1])
    assert check_round(finished) == Invalid("escape", "1 link out of its folder: a -> b")
    finished = finished._replace(links=())
    assert check_round(finished) == Invalid("error", "x")
    finished = finished._replace(return_problem=None)
    assert check_round(finished) == Invalid("missing", "2 fetches missing: DE, IN")
    finished = finished._replace(countries=("BR", "CN"))
    assert check_round(finished) == Invalid("corrupt", "br.gif differs at byte 11 (14 bytes, 14 were served)")
    finished = finished._replace(files=finished.files._replace(differing=()))
    assert check_round(finished) == Invalid("missing", "1 file missing: cn.gif")
    finished = finished._replace(files=finished.files._replace(missing=()))
    assert check_round(finished) == Invalid("unexpected", "1 unexpected fetch: ZZ")
    finished = finished._replace(countries=("BR", "CN", "ZZ"))
    assert check_round(finished) == Invalid("unexpected", "1 unexpected file: x.tmp")


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("cn.gif")])
def test_only_a_regular_file_is_a_flag(folder: Folder, make: Callable[[Path], None]) -> None:
    """A folder, a FIFO or a link, even one to the right bytes, is a missing file."""
    flag = folder.saved / "br.gif"
    flag.unlink()
    (folder.reference / "br.gif").write_bytes(FLAGS["CN"])
    make(flag)
    finished = folder.finish([a_fetch("BR"), a_fetch("CN")])
    assert check_round(finished) == Invalid("missing", "1 file missing: br.gif")
    assert finished.files.verified == 1


def test_everything_below_the_folder_is_checked(folder: Folder) -> None:
    """Folders, links, and new files in folders that were there before."""
    for name in ("old", "new"):
        (folder.saved / name).mkdir()
        (folder.saved / name / "note.txt").touch()
    (folder.saved / "link").symlink_to("old")
    problem = folder.check([a_fetch("BR"), a_fetch("CN")], ("BR", "CN"), "old")
    assert problem == Invalid("unexpected", "4 unexpected files: link, new, new/note.txt, old/note.txt")


def test_only_the_first_five_names_are_listed(folder: Folder) -> None:
    asked = tuple(f"X{letter}" for letter in "ABCDEFGH")
    problem = folder.check([a_fetch("BR"), a_fetch("CN")], ("BR", "CN", *asked))
    assert problem == Invalid("missing", "8 fetches missing: XA, XB, XC, XD, XE and 3 more")


def problem_of(*returned: object, elsewhere: bool = False) -> str | None:
    """Describe the problem of a list of these, returned where three fetches were asked for."""
    problem = check_return_value(list(returned), 3, CALLED_S, RETURNED_S, elsewhere=elsewhere)
    return None if problem is None else f"{problem.outcome}: {problem.detail}"


@pytest.mark.parametrize(
    "fetch",
    [
        GOOD,
        GOOD._replace(start_s=CALLED_S, end_s=RETURNED_S),
        GOOD._replace(answered_s=0.0),
        GOOD._replace(answered_s=0, start_s=0, end_s=0),
        GOOD._replace(start_s=101, end_s=101, answered_s=101),
    ],
)
def test_times_in_order_or_all_zero_are_valid(fetch: Fetch) -> None:
    """The time of the answer need not be known."""
    assert problem_of(fetch) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"start_s": float("nan")},
        {"end_s": float("nan")},
        {"answered_s": float("nan")},
        {"end_s": float("inf")},
        {"start_s": float("-inf")},
        {"start_s": -1.0},
        {"start_s": 99.9},
        {"end_s": 101.1},
        {"start_s": 100.95},
        {"answered_s": 100.95},
        {"start_s": 0.0},
        {"end_s": 0.0, "answered_s": 0.0},
        {"start_s": 10**400},
        {"start_s": 1.7e9, "answered_s": 1.7e9, "end_s": 1.7e9},
    ],
)
def test_times_outside_the_round_are_an_error(changes: dict[str, Any]) -> None:
    """Missing, backward, before the call, after the return, or by another clock."""
    line = problem_of(GOOD, GOOD._replace(**changes))
    assert line is not None
    assert line.startswith(
        "error: download_many returned a Fetch of 'BR' whose times are not in order within 100 to 101: "
    )


@pytest.mark.parametrize(
    ("answered_s", "end_s"), [(0.0, 0.5), (0.4, 0.5), (0.5, 0.5), (0, 1), (1.0, 1.0), (0.0, 1.001)]
)
def test_duration_by_the_clock_of_another_machine_is_valid_within_the_call(
    answered_s: float, end_s: float
) -> None:
    """Its clock may be faster than ours by a thousandth. On this machine, fetches have times."""
    fetch = GOOD._replace(start_s=0.0, answered_s=answered_s, end_s=end_s)
    assert problem_of(GOOD, fetch, elsewhere=True) is None
    assert "times are not in order" in (problem_of(GOOD, fetch) or "")


@pytest.mark.parametrize(
    ("answered_s", "end_s"),
    [
        (0.0, 1.002),
        (1.002, 1.002),
        (0.6, 0.5),
        (-0.1, 0.5),
        (0.0, -0.5),
        (0.5, 0.0),
        (0.0, float("nan")),
        (float("nan"), 0.5),
        (0.0, float("inf")),
        (0.0, 10**400),
        (0.0, 100.9),
    ],
)
def test_duration_that_cannot_be_is_an_error(answered_s: float, end_s: float) -> None:
    """Longer than the call, backward, or no number."""
    line = problem_of(GOOD, GOOD._replace(start_s=0.0, answered_s=answered_s, end_s=end_s), elsewhere=True)
    assert line is not None
    assert line.startswith(
        "error: download_many returned a Fetch of 'BR' whose times are not in order within 100 to 101: "
    )


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"country": 7}, "a Fetch of 7 whose country is of type int"),
        ({"country": ["BR"]}, "a Fetch of ['BR'] whose country is of type list"),
        ({"start_s": "100.1"}, "a Fetch of 'BR' whose start_s is of type str"),
        ({"end_s": True}, "a Fetch of 'BR' whose end_s is of type bool"),
        ({"status": None}, "a Fetch of 'BR' whose status is of type NoneType"),
        ({"size_bytes": 16.0}, "a Fetch of 'BR' whose size_bytes is of type float"),
        ({"outcome": ["ok"]}, "a Fetch of 'BR' whose outcome is of type list"),
        ({"outcome": "splendid"}, "a Fetch of 'BR' whose outcome is 'splendid'"),
        ({"detail": b"bytes"}, "a Fetch of 'BR' whose detail is of type bytes"),
        ({"answered_s": [[[]]]}, "a Fetch of 'BR' whose answered_s is of type list"),
        ({"checksum": "x"}, "a Fetch of 'BR' whose checksum is of type str"),
        ({"work_s": "x"}, "a Fetch of 'BR' whose work_s is of type str"),
    ],
)
def test_field_of_another_type_is_an_error(changes: dict[str, Any], what: str) -> None:
    assert problem_of(GOOD._replace(**changes)) == f"error: download_many returned {what}"


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        (None, "NoneType, not a list of Fetch"),
        ((GOOD,), "tuple, not a list of Fetch"),
        ("x" * 10_000_000, "str, not a list of Fetch"),
        ([("BR", "ok")], "a list with ('BR', 'ok') in it, which is not a Fetch"),
    ],
)
def test_anything_but_a_list_of_fetches_is_an_error(returned: object, what: str) -> None:
    problem = check_return_value(returned, 1, CALLED_S, RETURNED_S)
    assert problem == Invalid("error", f"download_many returned {what}")


def test_huge_return_value_is_described_in_a_short_line() -> None:
    assert problem_of(*[GOOD] * 10_004) == "unexpected: 10,004 fetches for 3 countries"
    assert problem_of(*[GOOD] * 10_003) is None
    for huge in ("x" * 10_000_000, GOOD._replace(country="x" * 10_000_000, end_s=0.0)):
        assert len(problem_of(huge) or "") in range(1, 200)
