"""Run the GitHub action's own scripts on a pull request: install it from its files, and gate."""

import json
from pathlib import Path

import pytest

from tests.action import run_step
from tests.revisions import config, with_planted

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.slow, pytest.mark.timeout(900)]


def test_action_fails_a_pull_request_that_is_slower(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves an annotation, a summary, and the run with its JUnit file as artifacts."""
    repository = with_planted(tmp_path_factory, 0.004)
    repository.git("checkout", "--quiet", "planted")
    for variable, value in (("GITHUB_BASE_REF", "main"), ("FLAGBENCH_CACHE", str(tmp_path / "cache"))):
        monkeypatch.setenv(variable, value)
    runner = tmp_path / "runner"
    runner.mkdir()
    installed = run_step("Install flagbench", runner, repository.folder, timeout_s=300)
    assert installed.code == 0, installed.stderr
    step = run_step("Measure", runner, repository.folder, timeout_s=300, config=str(config(tmp_path)))
    assert (step.code, step.outputs["exit-code"]) == (1, "1"), step.stderr
    assert "::error title=" in step.stdout
    assert "threadpool_map/urllib3/20/20ms" in step.summary
    kept = Path(step.outputs["folder"])
    assert json.loads((kept / "run" / "run.json").read_bytes())["status"] == "complete"
    assert b"<failure" in (kept / "gate.xml").read_bytes()
    mistyped = run_step(
        "Measure", runner, repository.folder, timeout_s=300, config=str(config(tmp_path)), against="nowhere"
    )
    assert mistyped.code == 2, mistyped.stderr
    assert "::error title=flagbench gate::" in mistyped.stdout
