"""Run ``ab``, ``compare`` and ``gate`` on real revisions of this project, each in its own environment."""

import json
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.storage.journal import read_journal
from tests.repositories import Repository
from tests.revisions import config, environment, with_planted, words
from tests.runs import wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.long,
    pytest.mark.alone,
    pytest.mark.timeout(300),
]

NAP_S = 0.01
"""Of fetches that take 20 ms: even a busy machine shows that."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Clone this project, with a branch on which downloads are slower."""
    return with_planted(tmp_path_factory, NAP_S)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder shared by these tests."""
    return tmp_path_factory.mktemp("cache")


def ended(
    repository: Repository, cache: Path, *said: str | Path, patience_s: float = 240
) -> subprocess.CompletedProcess[str]:
    """Run a command in a repository and wait for it."""
    return subprocess.run(
        words(*said),
        cwd=repository.folder,
        env=environment(cache),
        capture_output=True,
        text=True,
        check=False,
        timeout=patience_s,
    )


def verdicts(said: str) -> dict[str, str]:
    """Return the verdict of each metric from ``--json``."""
    document: dict[str, Any] = json.loads(said)
    return {each["metric"]: each["verdict"] for each in document["metrics"]}


def test_ab_of_identical_code_does_not_say_slower(
    repository: Repository, cache: Path, tmp_path: Path
) -> None:
    """On a busy machine it may be inconclusive."""
    out = ("--out", tmp_path / "run")
    run = ended(repository, cache, "ab", "main", "main", config(tmp_path, budget="30s"), *out, "--json")
    assert run.returncode in {0, 8}, run.stderr
    assert set(verdicts(run.stdout).values()) <= {"equivalent", "inconclusive"}


def start(repository: Repository, cache: Path, said: Sequence[str | Path]) -> subprocess.Popen[str]:
    """Start a command in a repository."""
    return subprocess.Popen(
        words(*said),
        cwd=repository.folder,
        env=environment(cache),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill(process: "subprocess.Popen[str]", number: signal.Signals, out: Path, trials: int) -> str:
    """Send a signal after a number of trials; return everything written to stderr."""
    journal = out / "journal.jsonl"
    with process:
        wait_until(lambda: journal.exists() and len(read_journal(journal).trials) >= trials, 120)
        process.send_signal(number)
        _, told = process.communicate()
    assert process.returncode == (143 if number == signal.SIGTERM else -number), told
    return told


def test_gate_killed_twice_still_finds_the_slow_down(
    repository: Repository, cache: Path, tmp_path: Path
) -> None:
    """Killed by SIGKILL and SIGTERM; JUnit, summary, annotations, ``compare`` and ``show`` agree."""
    performance = "performance.yaml"
    nothing = ended(repository, cache, "gate", performance)
    assert nothing.returncode == 9
    assert "worktree is the same as " in nothing.stderr
    repository.git("checkout", "--quiet", "planted")
    config(repository.folder, name="performance")
    out, junit, summary = (tmp_path / name for name in ("run", "gate.xml", "summary.md"))
    try:
        kill(start(repository, cache, ["gate", performance, "--out", out]), signal.SIGKILL, out, trials=4)
        told = kill(
            start(repository, cache, ["gate", performance, "--resume", out]), signal.SIGTERM, out, trials=10
        )
        assert f"resume with `python -m bench gate {performance} --resume {out}`" in told
        assert json.loads((out / "run.json").read_text("utf-8"))["status"] == "partial"
        run = subprocess.run(
            words("gate", performance, "--resume", out, "--junit", junit, "--github", "--json", "--quiet"),
            cwd=repository.folder,
            env={**environment(cache), "GITHUB_STEP_SUMMARY": str(summary)},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
    finally:
        repository.git("checkout", "--quiet", "--force", "main")
    assert run.returncode == 1, run.stderr
    document = json.loads(run.stdout)
    assert document["ruling"] == "regression"
    (elapsed,) = document["metrics"]
    assert elapsed["verdict"] == "slower"
    # in seconds: how long the rest of a round takes depends on the machine
    assert 0.7 * NAP_S < elapsed["candidate"] - elapsed["base"] < 3 * NAP_S
    assert document["vanished"] == ["sequential/urllib3/1/20ms"]
    assert "elapsed is slower" in run.stderr
    assert "slower" in summary.read_text("utf-8")
    assert "with uncommitted changes" in summary.read_text("utf-8")
    assert "<failure" in junit.read_text("utf-8")

    stored = json.loads((out / "run.json").read_text("utf-8"))
    base = document["base"]
    assert sorted(trial["block"] for trial in stored["trials"] if trial["case"].endswith(f"@{base}")) == list(
        range(len(stored["trials"]) // 2)
    )
    sides = stored["config"]["variants"]
    assert [sides[name]["commit"] for name in (base, "worktree")] == [
        repository.git("rev-parse", name) for name in ("main", "planted")
    ]
    again = ended(repository, cache, "compare", out, "--allow-missing", "--json")
    assert (again.returncode, json.loads(again.stdout)["metrics"]) == (1, document["metrics"])
    turned = ended(repository, cache, "compare", f"{out}@worktree", f"{out}@{base}", "--json")
    assert verdicts(turned.stdout)["elapsed"] == "faster"
    shown = ended(repository, cache, "show", out)
    assert f"worktree is slower than {base}" in shown.stdout


def test_unknown_revision_and_too_small_budget_are_refused_before_the_first_trial(
    repository: Repository, cache: Path, tmp_path: Path
) -> None:
    before = sorted((repository.folder / "results").glob("runs/*"))
    unknown = ended(repository, cache, "ab", "nowhere", config(tmp_path))
    assert unknown.returncode in {2, 4}
    assert "nowhere" in unknown.stderr
    short = ended(repository, cache, "ab", "main", "main", config(tmp_path), "--budget", "5s")
    assert short.returncode == 2
    assert "an alarm in 1 metric takes 9 blocks" in short.stderr
    assert before == sorted((repository.folder / "results").glob("runs/*"))
