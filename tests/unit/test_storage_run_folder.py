"""Check the folder of a run: results are found, loaded and never overwritten."""

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace as replace_fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.errors import SetupError, UnreadableResultError, UsageError
from bench.model.cases import Case, Fault, LogNormal, Profile, Selection, Uniform
from bench.model.results import Run
from bench.storage.atomic_write import write_atomically
from bench.storage.journal import new_journal
from bench.storage.run_folder import (
    DOCUMENT,
    JOURNAL,
    LOCK,
    TABLE,
    existing_folder,
    load_run,
    new_folder,
    save_run,
    stored_runs,
)
from bench.storage.run_json import run_from_json, run_to_json
from tests.builders import HEADER, NEAR, case, failed, run_of, trials

POOL = case()
MEASURED = [*trials(POOL, [0.02, 0.03]), failed(POOL, 2, "crash", "killed by SIGSEGV \u202e")]


def test_run_is_read_back_from_its_document() -> None:
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
def test_malformed_document_is_refused(damage: Callable[[dict[str, Any]], None], words: str) -> None:
    document = json.loads(json.dumps(run_to_json(run_of({POOL: MEASURED}))))
    damage(document)
    with pytest.raises(UnreadableResultError, match=words):
        run_from_json(document)


def test_file_is_replaced_without_leaving_a_draft(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")
    write_atomically(path, "new")
    assert path.read_text("utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_draft_of_a_killed_process_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (tmp_path / ".file.draft").write_text("half of something longer", encoding="utf-8")
    write_atomically(path, "new")
    assert path.read_text("utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "new")
    assert path.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Store a run below the current folder."""
    monkeypatch.chdir(tmp_path)
    run = run_of({POOL: MEASURED})
    with new_folder("example", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None) as folder:
        save_run(folder, run, "| table |")
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
def test_run_is_found_by_folder_file_name_or_last(stored: Run, name: str) -> None:
    assert load_run(Path(name)) == stored


def test_unknown_run_is_a_usage_error_that_names_the_stored_runs(stored: Run) -> None:
    with pytest.raises(UsageError, match=f"no run 'other'.*{stored.name}"):
        load_run(Path("other"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"schema": 1', "damaged at byte 12: Expecting"),
        (b'{"\xc3\xa4": 1', "damaged at byte 8: Expecting"),
        (b"{}\xff", "damaged at byte 2: not UTF-8"),
        (b'{"schema": 4}', "the results have schema 4, this flagbench reads 3"),
        (b'{"schema": 3}', "damaged at byte 13: its end, the checksums, is missing"),
        (b"[" * 100_000, "not a JSON document: maximum recursion depth"),
        (b"[]", "not a run: not a JSON object"),
    ],
)
@pytest.mark.usefixtures("stored")
def test_damaged_run_is_refused_with_its_path(content: bytes, words: str) -> None:
    (folder,) = stored_runs()
    (folder / DOCUMENT).write_bytes(content)
    with pytest.raises(UnreadableResultError, match=rf"run\.json: .*{words}"):
        load_run(folder)
    assert (folder / DOCUMENT).read_bytes() == content


@pytest.mark.usefixtures("stored")
def test_runs_of_the_same_second_do_not_share_a_folder() -> None:
    with new_folder("example", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None) as again:
        assert again.name == "example-20260102-030405-2"


def test_folder_with_content_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    with pytest.raises(UsageError, match="not empty"), new_folder("x", datetime.now(UTC), tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["something"]


def test_folder_with_a_journal_is_refused_with_the_way_to_resume(tmp_path: Path) -> None:
    with new_journal(tmp_path / JOURNAL, HEADER):
        pass
    with (
        pytest.raises(UsageError, match=f"not empty; resume its run with --resume {tmp_path}, or name a new"),
        new_folder("x", datetime.now(UTC), tmp_path),
    ):
        pass


def test_folder_that_cannot_be_created_is_a_setup_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "run"
    with (
        pytest.raises(SetupError, match="cannot keep results"),
        new_folder("x", datetime.now(UTC), out),
    ):
        pass


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("program", "name"), [("bin/flagbench", "flagbench"), ("bench/__main__.py", "python -m bench")]
)
def test_run_with_only_a_journal_is_refused_with_the_command_that_finishes_it(
    program: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", [program])
    (folder,) = stored_runs()
    (folder / DOCUMENT).unlink()
    with new_journal(folder / JOURNAL, replace_fields(HEADER, command=("run", "CONFIG", "--seed", "3"))):
        pass
    words = (
        "was interrupted before its results were written; "
        f"finish it with `{name} run CONFIG --seed 3 --resume {folder}`"
    )
    with pytest.raises(UsageError, match=words):
        load_run(folder)


@pytest.mark.usefixtures("stored")
def test_damaged_journal_without_a_document_is_refused() -> None:
    (folder,) = stored_runs()
    (folder / DOCUMENT).rename(folder / JOURNAL)
    with pytest.raises(UnreadableResultError, match=r"journal\.jsonl: damaged at byte 0"):
        load_run(folder)


def test_failed_save_leaves_the_old_results(stored: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder,) = stored_runs()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", fail)
    words = r"table\.md: No space left on device: it needs [\d,]+ bytes, [\d,]+ are free.*; free some space"
    with pytest.raises(SetupError, match=words):
        save_run(folder, stored, "| other |")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["example-20260102-030405", "last", "results/runs/example-20260102-030405"])
@pytest.mark.usefixtures("stored")
def test_run_to_resume_is_found_and_locked(name: str) -> None:
    (folder,) = stored_runs()
    with new_journal(folder / JOURNAL, HEADER):
        pass
    with existing_folder(Path(name)) as found:
        assert found == folder
        assert sorted(path.name for path in found.iterdir()) == [LOCK, JOURNAL, DOCUMENT, TABLE]
    assert not (folder / LOCK).exists()


@pytest.mark.usefixtures("stored")
def test_run_without_a_journal_cannot_be_resumed() -> None:
    (folder,) = stored_runs()
    with pytest.raises(UsageError, match="has no journal"), existing_folder(folder):
        pass
    with pytest.raises(UsageError, match="there is no run 'other'"), existing_folder(Path("other")):
        pass
