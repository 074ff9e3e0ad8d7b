"""Resume interrupted runs: the same trials with the same delays, or a reason why not."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.storage.journal import JournalContents, read_journal
from bench.storage.run_folder import DOCUMENT, JOURNAL, LOCK, load_run
from tests.runs import ROOT, command, config, document, resumed, run, started, wait_until

pytestmark = pytest.mark.e2e

SIX = ["BR", "CN", "IN", "US", "ID", "PK"]
STORMY = {"latency": {"uniform": ["1ms", "9ms"]}, "error_rate": "25%"}


def stormy(folder: Path, blocks: int = 3) -> Path:
    """Write a config of two cases, of which no block has the delays and errors of another."""
    return config(folder, ["sequential", "threadpool_map"], countries=SIX, profile=STORMY, blocks=blocks)


def journal_of(path: Path) -> Path:
    """Return where the journal of a config's run is."""
    return path.parent / "run" / JOURNAL


def past_of(path: Path) -> JournalContents:
    """Read the journal of a config's run."""
    return read_journal(journal_of(path))


def planned(path: Path) -> list[tuple[Any, ...]]:
    """Return each trial of a stored run, in order, with the delays and errors that it met."""
    return [
        (trial["case"], trial["block"], trial["rounds"][0]["planned_ideal_s"], trial["rounds"][0]["fetches"])
        for trial in document(path)["trials"]
    ]


def cut(path: Path, trials: int, torn: int = 0) -> None:
    """Leave a run as a kill would have after so many trials, and so many bytes of the next."""
    lines = journal_of(path).read_bytes().splitlines(keepends=True)
    journal_of(path).write_bytes(b"".join(lines[: trials + 1]) + lines[trials + 1][:torn])
    (path.parent / "run" / DOCUMENT).unlink()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a config without interruption."""
    path = stormy(tmp_path_factory.mktemp("whole"))
    assert run(path).returncode == 0
    return path


@pytest.fixture
def left(whole: Path, tmp_path: Path) -> Path:
    """Copy that run, to be left in whatever state."""
    shutil.copytree(whole.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / whole.name


def resume_words(said: str) -> list[str]:
    """Read the command that an interrupted run names."""
    words = shlex.split(said.rpartition("resume with `")[2].rpartition("`")[0])
    assert words[:3] == ["python", "-m", "bench"]
    return [sys.executable, *words[1:]]


@pytest.mark.long
def test_interrupted_and_killed_run_equals_an_uninterrupted_one(tmp_path: Path, whole: Path) -> None:
    """It resumes with the command that the interruption names."""
    path = stormy(tmp_path, blocks=9)
    first = [*command(path), "--blocks", "3"]
    with subprocess.Popen(first, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: journal_of(path).exists() and len(past_of(path).trials) >= 1, 20)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    interrupted_after = len(past_of(path).trials)
    assert f"stopped early: {interrupted_after} of 6 trials kept in " in said
    second = resume_words(said)
    with subprocess.Popen(second, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        wait_until(lambda: len(past_of(path).trials) > interrupted_after, 20)
        process.kill()
    kept = past_of(path).trials
    last = subprocess.run(second, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert last.returncode == 0, last.stderr
    assert f"resuming after {len(kept)} of 6 trials" in last.stderr
    assert "block 3 of 3: 6 of 6 trials" in last.stderr
    assert planned(path) == planned(whole)
    stored = document(path)
    assert stored["status"] == "complete"
    assert [each["after"] for each in stored["resumed"]] == [interrupted_after, len(kept)]
    assert load_run(path.parent / "run").trials[: len(kept)] == kept
    assert document(whole)["resumed"] == []


@pytest.mark.long
def test_torn_journal_line_is_dropped_reported_and_run_again(left: Path, whole: Path) -> None:
    cut(left, 4, torn=1000)
    folder = left.parent / "run"
    show = [sys.executable, "-m", "bench", "show", str(folder)]
    shown = subprocess.run(show, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert shown.returncode == 2
    assert f"finish it with `python -m bench run CONFIG --resume {folder}`" in shown.stderr
    result = resumed(left, "--quiet")
    assert result.returncode == 0
    end = len(b"".join(journal_of(whole).read_bytes().splitlines(keepends=True)[:5]))
    assert f"dropped a torn line of 1000 bytes at byte {end} of {journal_of(left)}" in result.stderr
    assert planned(left) == planned(whole)
    assert past_of(left).trials[:4] == past_of(whole).trials[:4]


@pytest.mark.long
def test_damaged_journal_is_refused_with_its_place_and_left_alone(left: Path) -> None:
    content = bytearray(journal_of(left).read_bytes())
    content[len(content) // 2] ^= 4
    journal_of(left).write_bytes(content)
    before = {path.name: path.read_bytes() for path in (left.parent / "run").iterdir()}
    result = resumed(left)
    assert result.returncode == 5
    assert f"error[results]: {journal_of(left)}: damaged at byte " in result.stderr
    assert {path.name: path.read_bytes() for path in (left.parent / "run").iterdir()} == before


@pytest.mark.long
def test_missing_or_damaged_document_is_rebuilt_without_a_trial(left: Path) -> None:
    folder = left.parent / "run"
    before = json.loads((folder / DOCUMENT).read_bytes())
    (folder / DOCUMENT).write_text("damaged", encoding="utf-8")
    assert resumed(left, "--quiet").returncode == 0
    after = json.loads((folder / DOCUMENT).read_bytes())
    assert after == before


@pytest.mark.long
def test_complete_run_other_config_and_other_folder_are_refused(left: Path) -> None:
    before = {path.name: path.read_bytes() for path in (left.parent / "run").iterdir()}
    for words, said in (
        ([], "is complete: there is nothing to resume; see it with `python -m bench show"),
        (["--seed", "2"], "seed changed; resume it with the config as it was, by `run CONFIG --resume …`"),
        (["--only", "sequential"], "cases changed"),
        (["--out", str(left.parent / "other")], "leave out --out"),
    ):
        result = resumed(left, *words)
        assert result.returncode == 2
        assert said in " ".join(result.stderr.split())
    assert {path.name: path.read_bytes() for path in (left.parent / "run").iterdir()} == before


@pytest.mark.long
def test_second_run_in_a_folder_names_the_owner(tmp_path: Path) -> None:
    path = config(tmp_path, ["sequential"], blocks=500)
    with started(path) as first:
        for second in (run(path), resumed(path)):
            assert second.returncode == 6
            assert f"error[locked]: {tmp_path / 'run'} is in use by process {first.pid}; " in second.stderr
        assert (tmp_path / "run" / LOCK).read_text("ascii") == f"{first.pid}\n"
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=20)
    assert not (tmp_path / "run" / LOCK).exists()
    assert document(path)["status"] == "partial"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder_is_an_environment_error(left: Path) -> None:
    folder = left.parent / "run"
    cut(left, 3)
    folder.chmod(0o500)
    try:
        result = resumed(left)
    finally:
        folder.chmod(0o700)
    assert result.returncode == 4
    assert "Permission denied; make the folder writable" in result.stderr


@pytest.mark.slow
def test_noise_can_be_resumed(tmp_path: Path) -> None:
    path = config(tmp_path, ["sequential"], blocks=6)
    begun = [sys.executable, "-m", "bench", "noise", str(path), "--out", str(tmp_path / "run")]
    with subprocess.Popen(begun, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=_here()) as process:
        wait_until(lambda: journal_of(path).exists() and len(past_of(path).trials) >= 3, 20)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    result = subprocess.run(
        resume_words(said),
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60, env=_here(),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert len(document(path)["trials"]) == 12
    assert "the noise of this machine is stored in results/noise/" in result.stderr


def _here() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}
