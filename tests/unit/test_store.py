"""The journal and the document of a run: what is written is read, what is damaged is refused."""

import json
import resource
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.errors import EnvironmentFault, UnreadableResultError, UsageError
from bench.measurement import Run
from bench.model import Case, Fault, LogNormal, Profile, Selection, Uniform
from bench.store.document import run_from_json, run_to_json
from bench.store.files import replace
from bench.store.folder import DOCUMENT, load, new_folder, save, stored_runs
from bench.store.journal import open_journal, read_journal
from tests.builders import NEAR, case, failed, run_of, trials

POOL = case()
MEASURED = [*trials(POOL, [0.02, 0.03]), failed(POOL, 2, "crash", "killed by SIGSEGV \u202e")]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Write a journal of three trials."""
    path = tmp_path / "journal.jsonl"
    with open_journal(path) as journal:
        for measurement in MEASURED:
            journal.append(measurement)
    return path


def test_a_journal_gives_back_its_trials(journal: Path) -> None:
    """In the order written, failures included."""
    assert read_journal(journal) == MEASURED


def test_a_journal_is_continued_where_it_ended(journal: Path) -> None:
    """Opening it again does not touch what is there."""
    with open_journal(journal) as again:
        again.append(MEASURED[0])
    assert read_journal(journal) == [*MEASURED, MEASURED[0]]


def test_every_line_of_a_journal_is_json(journal: Path) -> None:
    """Other tools can read it without knowing the checksum."""
    lines = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    assert [line["trial"]["outcome"] for line in lines] == ["ok", "ok", "crash"]


def test_no_flipped_bit_of_a_trial_is_accepted(journal: Path) -> None:
    """Every byte of the first line in turn: refused, with the path and the offset of the line."""
    content = journal.read_bytes()
    end = content.index(b"\n")
    for position in range(end):
        damaged = bytearray(content)
        damaged[position] ^= 0x01
        journal.write_bytes(damaged)
        with pytest.raises(UnreadableResultError, match=r"journal\.jsonl: damaged at byte 0"):
            read_journal(journal)


def test_no_truncated_journal_is_accepted(journal: Path) -> None:
    """A torn last line is damage, too."""
    content = journal.read_bytes()
    last = content.rindex(b"\n", 0, -1) + 1
    for length in range(last + 1, len(content)):
        journal.write_bytes(content[:length])
        with pytest.raises(UnreadableResultError, match=f"damaged at byte {last}"):
            read_journal(journal)


def test_a_run_survives_its_document() -> None:
    """Every field, every kind of latency, both kinds of connection."""
    profiles = (
        NEAR,
        Profile("even", Uniform(0.5, 5.0), 0.01, 2.5e6, (Fault("status", 0.25, 503), Fault("stall", 0.1))),
        Profile("h2", tls=True, http2=True),
        Profile("tail", LogNormal(0.05, 0.2)),
    )
    cases = [
        Case("sequential", "httpx", 1, each, Selection("B", ("BR",), 7), keep_alive=False)
        for each in profiles
    ]
    run = run_of({POOL: MEASURED, **{each: [] for each in cases}})
    assert run_from_json(json.loads(json.dumps(run_to_json(run)))) == run


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda document: document.update(schema=99), "schema 99"),
        (lambda document: document.update(status="fine"), "run.status: unexpected 'fine'"),
        (lambda document: document.pop("cases"), "missing or unexpected: cases"),
        (
            lambda document: document["trials"][0].update(outcome="good"),
            r"run.trials\[0\].outcome: unexpected 'good'",
        ),
        (lambda document: document["cases"][0]["profile"].update(latency={"odd": {}}), "odd"),
        (lambda document: document["trials"][0]["rounds"][0].update(elapsed_s="soon"), "soon"),
        (lambda document: document["trials"][0].update(case="other"), "a trial is of 'other'"),
        (lambda document: document["config"].pop("name"), "its config has no name"),
        (lambda document: document.update(cases=[], trials=[]), "it has no cases"),
    ],
)
def test_a_document_that_is_no_run_is_refused(damage: Callable[[dict[str, Any]], None], words: str) -> None:
    """With what is wrong in words."""
    document = json.loads(json.dumps(run_to_json(run_of({POOL: MEASURED}))))
    damage(document)
    with pytest.raises(UnreadableResultError, match=words):
        run_from_json(document)


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    """The draft takes the old file's place."""
    path = tmp_path / "file"
    replace(path, "old")
    replace(path, "new")
    assert path.read_text("utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_replacement_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails at the last moment costs the new content only."""
    path = tmp_path / "file"
    replace(path, "old")

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        replace(path, "new")
    assert path.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Store a run below the current folder."""
    monkeypatch.chdir(tmp_path)
    run = run_of({POOL: MEASURED})
    folder = new_folder("example", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None)
    save(folder, run, "| table |")
    return run


@pytest.mark.parametrize(
    "name",
    [
        "results/runs/example-20260102-030405",
        "results/runs/example-20260102-030405/run.json",
        "example-20260102-030405",
        "last",
    ],
)
def test_a_run_is_found_by_folder_file_or_name(stored: Run, name: str) -> None:
    """And the latest by ``last``."""
    assert load(Path(name)) == stored


def test_an_unknown_run_is_a_usage_error_that_names_what_there_is(stored: Run) -> None:
    """The hint helps to find the right name."""
    with pytest.raises(UsageError, match=f"no run 'other'.*{stored.name}"):
        load(Path("other"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"schema": 1', "not a JSON document: Expecting"),
        (b"\xff{}", "not a JSON document: 'utf-8' codec can't decode byte 0xff in position 0"),
        (b"[" * 100_000, "not a JSON document: maximum recursion depth"),
        (b"[]", "no run: not a JSON object"),
    ],
)
@pytest.mark.usefixtures("stored")
def test_a_damaged_run_is_refused_with_its_path(content: bytes, words: str) -> None:
    """And it is left as it is."""
    (folder,) = stored_runs()
    (folder / DOCUMENT).write_bytes(content)
    with pytest.raises(UnreadableResultError, match=rf"run\.json: .*{words}"):
        load(folder)
    assert (folder / DOCUMENT).read_bytes() == content


@pytest.mark.usefixtures("stored")
def test_runs_of_the_same_second_do_not_share_a_folder() -> None:
    """The later one gets a number."""
    again = new_folder("example", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None)
    assert again.name == "example-20260102-030405-2"


def test_a_folder_in_use_is_never_written_over(tmp_path: Path) -> None:
    """``--out`` names a new or empty folder."""
    (tmp_path / "something").touch()
    with pytest.raises(UsageError, match="not empty"):
        new_folder("x", datetime.now(UTC), tmp_path)


def test_a_place_that_cannot_be_written_is_the_environments_fault(tmp_path: Path) -> None:
    """Below a file there is no folder."""
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFault, match="cannot keep results"):
        new_folder("x", datetime.now(UTC), tmp_path / "file" / "run")


def test_a_journal_on_a_full_disk_stays_a_journal(tmp_path: Path) -> None:
    """A line that does not fit is taken back, and the harness is told; what was there stays readable."""
    path = tmp_path / "journal.jsonl"
    with open_journal(path) as journal:
        journal.append(MEASURED[0])
        content = path.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(content) + 100, hard))
        try:
            with pytest.raises(EnvironmentFault, match="cannot write the journal: File too large"):
                journal.append(MEASURED[1])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, before)
    assert path.read_bytes() == content
    assert read_journal(path) == MEASURED[:1]


@pytest.mark.usefixtures("stored")
def test_a_run_that_was_left_at_once_is_said_to_be_a_journal_only() -> None:
    """There is nothing else to show; the journal is named."""
    (folder,) = stored_runs()
    (folder / DOCUMENT).rename(folder / "journal.jsonl")
    with pytest.raises(UsageError, match=r"holds only a journal.*journal\.jsonl"):
        load(folder)
