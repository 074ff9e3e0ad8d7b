"""Failing disks, and kills between any two system calls: old files stay whole, and the run can resume."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.report.export.markdown import to_markdown
from bench.storage.journal import read_journal
from bench.storage.run_folder import DOCUMENT, JOURNAL, LOCK, TABLE
from bench.storage.run_json import run_from_bytes
from tests.runs import ROOT, command, config, resume_command, resumed

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace to make system calls fail"),
]

CALLS = ("openat", "write", "pwrite64", "fsync", "rename", "ftruncate", "close")
FAILING = ("openat", "write", "pwrite64", "fsync", "rename", "mkdir")
ERRORS = ("ENOSPC", "EIO", "EDQUOT")
LANES = 3
MOST = 60
"""More calls of one kind than a tiny run makes on its files."""
OURS = (JOURNAL, DOCUMENT, TABLE, LOCK, *(f".{name}.draft" for name in (JOURNAL, DOCUMENT, TABLE)))


@dataclass(frozen=True)
class Scene:
    """A run in a folder of its own, before something happens to it."""

    config: Path
    words: Sequence[str]

    @property
    def folder(self) -> Path:
        """Where its results are."""
        return self.config.parent / "run"

    @property
    def journal(self) -> Path:
        """Where its journal is."""
        return self.folder / JOURNAL

    def old(self, name: str) -> bytes | None:
        """Return a derived file as it is now; none if there is none."""
        path = self.folder / name
        return path.read_bytes() if path.exists() else None


@dataclass(frozen=True)
class Mishap:
    """Something that happens at the Nth call of a kind."""

    call: str
    what: str
    number: int

    def befall(self, scene: Scene) -> tuple[int, str]:
        """Let it happen, and return the exit code and what was said on stderr."""
        paths = [word for name in (".", *OURS) for word in ("-P", os.path.normpath(scene.folder / name))]
        if self.call == "mkdir":  # the folders of trials are elsewhere
            paths = []
        how = f"inject={self.call}:{self.what}:when={self.number}"
        strace = [
            "strace",
            "-qqq",
            "-o",
            str(self._log(scene)),
            *paths,
            "-e",
            f"trace={self.call}",
            "-e",
            how,
        ]
        words = [*strace, *scene.words, "--quiet"]
        result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
        return result.returncode, result.stderr

    def has_come(self, scene: Scene) -> bool:
        """Say whether there were so many calls."""
        log = self._log(scene).read_text("utf-8", errors="replace")
        return "INJECTED" in log or "killed by SIGKILL" in log

    def _log(self, scene: Scene) -> Path:
        return scene.config.parent / "strace.txt"


def tiny(home: Path) -> Path:
    """Write a config of two trials."""
    home.mkdir()
    profile = {"latency": "1ms"}
    return config(home, ["sequential"], profile=profile, blocks=2, probes="none", countries=["BR"])


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Leave a run after its first trial, with the documents of an earlier time."""
    path = tiny(tmp_path_factory.mktemp("left") / "home")
    subprocess.run([*command(path), "--quiet"], cwd=ROOT, check=True, capture_output=True, timeout=60)
    journal = path.parent / "run" / JOURNAL
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:2]))
    return path


def resumption(left: Path, home: Path) -> Scene:
    """Set up a run that is about to go on."""
    shutil.copytree(left.parent, home)
    return Scene(home / left.name, resume_command(home / left.name))


def beginning(_left: Path, home: Path) -> Scene:
    """Set up a run that is about to begin."""
    path = tiny(home)
    return Scene(path, command(path))


def survive(scene: Scene, mishap: Mishap) -> bool:
    """Let something happen and check what is left; return whether it came to that."""
    before = {name: scene.old(name) for name in (DOCUMENT, TABLE)}
    kept = read_journal(scene.journal).trials if scene.journal.exists() else ()
    code, said = mishap.befall(scene)
    if not mishap.has_come(scene):
        assert code == 0, said
        return False
    assert "Traceback" not in said
    assert code in ({-9, 137} if "KILL" in mishap.what else {0, 4, 5}), (mishap, code, said)
    assert code != 5 or f"error[results]: {scene.journal}: " in said
    assert code != 4 or "error[environment]: " in said
    if code == 0:
        assert run_from_bytes((scene.folder / DOCUMENT).read_bytes()).status == "complete"
    document = scene.old(DOCUMENT)
    if document != before[DOCUMENT]:
        assert document is not None
        assert len(run_from_bytes(document).trials) >= len(kept)
    table = scene.old(TABLE)
    assert table == before[TABLE] or (table or b"").startswith(b"### test: ")
    assert not scene.journal.exists() or read_journal(scene.journal).trials[: len(kept)] == kept
    finish(scene)
    return True


def finish(scene: Scene) -> None:
    """Go on with what is left, or begin where nothing is, and have the whole run in the end."""
    if scene.journal.exists():
        result = resumed(scene.config, "--quiet")
    else:
        shutil.rmtree(scene.folder, ignore_errors=True)
        words = [*command(scene.config), "--quiet"]
        result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    is_whole = result.returncode == 2 and "there is nothing to resume" in result.stderr
    assert result.returncode == 0 or is_whole, result.stderr
    stored = run_from_bytes((scene.folder / DOCUMENT).read_bytes())
    assert stored.status == "complete"
    assert [trial.block for trial in stored.trials] == [0, 1]
    assert stored.trials == read_journal(scene.journal).trials
    assert (scene.folder / TABLE).read_text("utf-8") == to_markdown(stored)


def sweep(left: Path, home: Path, set_up: Callable[[Path, Path], Scene], call: str, what: str) -> int:
    """Let something happen at the first, second, … call until a run completes; return how often it did."""
    for number in range(1, MOST):
        scene = set_up(left, home / f"{set_up.__name__}-{call}-{what.replace('=', '-')}-{number}")
        if not survive(scene, Mishap(call, what, number)):
            return number - 1
    raise AssertionError(f"there is no end of {call}")


@pytest.mark.long
def test_run_survives_a_failing_disk_and_a_kill(left: Path, tmp_path: Path) -> None:
    """In the middle of a journal line and of the document."""
    mishaps = [Mishap("fsync", "signal=KILL", 2), Mishap("rename", "error=EIO", 1)]
    with ThreadPoolExecutor() as executor:
        scenes = [resumption(left, tmp_path / mishap.call) for mishap in mishaps]
        assert all(executor.map(survive, scenes, mishaps))


@pytest.mark.long
def test_full_disk_message_names_need_and_free_space(left: Path, tmp_path: Path) -> None:
    """And the resume command; the incomplete line is removed."""
    scene = resumption(left, tmp_path / "home")
    code, said = Mishap("write", "error=ENOSPC", 2).befall(scene)
    assert code == 4
    assert f"stopped early: 1 of 2 trials kept in {scene.folder}; resume with `python -m bench run" in said
    assert re.search(
        rf"^error\[environment\]: cannot write {scene.journal}: No space left on device: "
        r"it needs [\d,]+ bytes, [\d,]+ are free on its disk, regardless of quotas; free some space$",
        said,
        re.MULTILINE,
    )
    assert len(read_journal(scene.journal).trials) == 1
    finish(scene)


@pytest.mark.slow
@pytest.mark.parametrize("set_up", [beginning, resumption])
def test_run_survives_a_kill_at_every_system_call_on_its_files(
    left: Path, tmp_path: Path, set_up: Callable[[Path, Path], Scene]
) -> None:
    """Each open, write, fsync, rename, truncate and close in turn."""
    with ThreadPoolExecutor(LANES) as executor:
        swept = dict(
            zip(
                CALLS,
                executor.map(lambda call: sweep(left, tmp_path, set_up, call, "signal=KILL"), CALLS),
                strict=True,
            )
        )
    assert all(swept.values()), swept


@pytest.mark.slow
@pytest.mark.parametrize("error", ERRORS)
def test_run_survives_an_error_of_every_system_call_on_its_files(
    left: Path, tmp_path: Path, error: str
) -> None:
    """Each open, write, fsync, rename and mkdir of a resumed run in turn."""
    with ThreadPoolExecutor(LANES) as executor:
        swept = dict(
            zip(
                FAILING,
                executor.map(lambda call: sweep(left, tmp_path, resumption, call, f"error={error}"), FAILING),
                strict=True,
            )
        )
    assert all(swept.values()), swept
