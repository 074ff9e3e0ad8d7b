"""Run ``gate`` in a user's own repository: every case of the base is compared, or the gate fails."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.repositories import Repository, small_repository
from tests.revisions import environment, words

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.long,
    pytest.mark.alone,
    pytest.mark.timeout(300),
]

STRATEGY = '''"""Threads of my own."""

import time
from concurrent.futures import ThreadPoolExecutor

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    time.sleep({pause_s})
    with job.client() as download_one, ThreadPoolExecutor(job.workers) as executor:
        return list(executor.map(download_one, job.countries))
'''
CONFIG = """\
strategies:{strategies}
clients: urllib3
countries: [BR, CN, IN, JP, US]
workers: 5
profile: {{latency: 20ms}}
rounds: 3
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Make a repository whose work tree moved a slower strategy and renamed a config, less a case."""
    made = small_repository(tmp_path / "repository")
    folder = made.folder
    (folder / "fetch.py").write_text(STRATEGY.format(pause_s=0), "utf-8")
    text = CONFIG.format(strategies="\n  - fetch.py\n  - sequential")
    (folder / "speed.yaml").write_text(text, "utf-8")
    made.commit("Measure")
    made.git("checkout", "--quiet", "-b", "moved")
    (folder / "sub").mkdir()
    made.git("mv", "fetch.py", "sub/fetch.py")
    (folder / "sub" / "fetch.py").write_text(STRATEGY.format(pause_s=0.03), "utf-8")
    made.git("mv", "speed.yaml", "ci.yaml")
    text = CONFIG.format(strategies="\n  - sub/fetch.py")
    (folder / "ci.yaml").write_text(text, "utf-8")
    made.commit("Move")
    return made


def test_a_moved_strategy_is_compared_and_a_dropped_case_is_named(
    repository: Repository, tmp_path: Path
) -> None:
    """Also with ``--quiet``, and with a base that ``--against`` names."""
    junit, report = tmp_path / "gate.xml", tmp_path / "gate.html"
    summary, quality = tmp_path / "gate.md", tmp_path / "gate.json"
    said = (
        "gate",
        "ci.yaml",
        "--against",
        "main",
        "--metrics",
        "elapsed",
        "--junit",
        junit,
        "--report",
        report,
        "--summary",
        summary,
        "--code-quality",
        quality,
    )
    ended = subprocess.run(
        words(*said, "--json", "--quiet"),
        cwd=repository.folder,
        env=environment(tmp_path / "cache"),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert ended.returncode == 1, ended.stderr
    document = json.loads(ended.stdout)
    (elapsed,) = document["metrics"]
    assert (elapsed["case"], elapsed["verdict"]) == ("fetch/urllib3/5/20ms", "slower")
    assert 0.025 < elapsed["candidate"] - elapsed["base"] < 0.05
    assert (document["vanished"], document["new"]) == (["sequential/urllib3/1/20ms"], [])
    assert "note: ci.yaml is speed.yaml in the base" in ended.stderr
    assert "sequential/urllib3/1/20ms exists only in main" in ended.stderr
    (verdict,) = [line for line in ended.stderr.splitlines() if line.startswith("regression")]
    assert verdict.startswith("regression (exit code 1): worktree lacks 1 case: sequential/urllib3/1/20ms")
    assert "--allow-missing" in verdict
    assert "lacks this case" in junit.read_text("utf-8")
    assert summary.read_text("utf-8").startswith("## flagbench: a regression\n")
    entries = json.loads(quality.read_text("utf-8"))
    assert {each["location"]["path"] for each in entries} == {"ci.yaml"}
    assert [each["severity"] for each in entries] == ["major", "major"]
    page = report.read_text("utf-8")
    assert '<p class="verdict regression">regression</p>' in page
    assert page.rstrip().endswith("</html>")
