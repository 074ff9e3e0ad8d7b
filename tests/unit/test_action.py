"""Inputs, outputs and exit codes of the script of the GitHub action, with a fake gate."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.action import ACTION, run_step

MEASURE = "Measure"


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """Return a folder for temporary files with a fake flagbench, which exits with ``CODE``."""
    program = tmp_path / "flagbench" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text(
        "#!/usr/bin/env python3\n"
        "import json, os, pathlib, sys\n"
        "words = sys.argv[4:]\n"
        "assert sys.argv[1:4] == ['-P', '-m', 'bench']\n"
        "pathlib.Path(os.environ['RUNNER_TEMP'], 'words.json').write_text(json.dumps(words))\n"
        "print('::warning::from the gate')\n"
        "print('first line\\n100 % of it', file=sys.stderr)\n"
        "sys.exit(int(os.environ['CODE']))\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    return tmp_path


def words(runner: Path) -> list[str]:
    """Return the arguments of the gate before those for its files."""
    said: list[str] = json.loads((runner / "words.json").read_bytes())
    return said[: said.index("--junit")]


def test_given_inputs_become_options(runner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values with spaces and special characters stay one word each."""
    monkeypatch.setenv("CODE", "0")
    assert run_step(MEASURE, runner, runner, config="x.yaml").code == 0
    assert words(runner) == ["gate", "x.yaml", "--github"]
    odd = "$(touch oops) `x` ; é"
    run_step(
        MEASURE,
        runner,
        runner,
        config="my config.yaml",
        allow_missing="true",
        against="pinned",
        threshold="3%",
        budget=odd,
        metrics="elapsed,cpu",
    )
    assert words(runner) == [
        "gate", "my config.yaml", "--allow-missing", "--against", "pinned", "--threshold", "3%", "--budget",
        odd, "--metrics", "elapsed,cpu", "--github",
    ]  # fmt: skip
    assert not (runner / "oops").exists()


@pytest.mark.parametrize("code", [0, 1, 3, 4, 8, 9])
def test_step_exits_like_the_gate(runner: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Later steps get the exit code and the folder."""
    monkeypatch.setenv("CODE", str(code))
    step = run_step(MEASURE, runner, runner, config="x")
    assert step.code == code
    assert step.outputs["exit-code"] == str(code)
    assert Path(step.outputs["folder"]).parent == runner
    assert "::warning::from the gate\n" in step.stdout
    assert ("::error" in step.stdout) is (code in {4, 9})


def test_only_an_inconclusive_gate_may_pass_on_request(runner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for code, passes in ((8, True), (1, False), (3, False)):
        monkeypatch.setenv("CODE", str(code))
        step = run_step(MEASURE, runner, runner, config="x", inconclusive="pass")
        assert (step.code == 0) is passes
        assert step.outputs["exit-code"] == str(code)


@pytest.mark.parametrize("code", [2, 4, 7, 9, 143])
def test_last_line_of_an_error_is_an_annotation(
    runner: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Verdicts are annotated by the gate itself."""
    monkeypatch.setenv("CODE", str(code))
    step = run_step(MEASURE, runner, runner, config="x")
    assert step.code == code
    assert "::error title=flagbench gate::100 %25 of it" in step.stdout.splitlines()
    assert step.stderr.splitlines() == ["first line", "100 % of it"]


def test_modules_of_the_checkout_do_not_shadow_the_standard_library(runner: Path) -> None:
    install, measure, *_ = ACTION["runs"]["steps"]
    calls = re.findall(r"python\"? (?!-P )", install["run"] + measure["run"])
    assert calls == []
    (runner / "secrets.py").write_text("raise SystemExit(99)", encoding="utf-8")
    created = install["run"].splitlines()[1]
    assert created.startswith("python -P -m venv ")
    ended = subprocess.run(
        ["bash", "-c", f"PATH={Path(sys.executable).parent}:$PATH; {created} --without-pip"],
        cwd=runner,
        env={**os.environ, "RUNNER_TEMP": str(runner / "temp")},
        check=False,
    )
    assert ended.returncode == 0
    assert (runner / "temp" / "flagbench" / "bin" / "python").exists()


def test_folder_of_the_step_is_always_uploaded() -> None:
    *_, keep, _ = ACTION["runs"]["steps"]
    assert keep["if"] == "${{ always() && steps.gate.outputs.folder }}"
    assert keep["with"]["path"] == "${{ steps.gate.outputs.folder }}"


def test_report_is_in_the_folder_that_is_uploaded_and_linked_from_the_summary(tmp_path: Path) -> None:
    """The address is known only once the folder is uploaded, so the link is a step of its own."""
    _, measure, keep, link = ACTION["runs"]["steps"]
    assert '--report "$folder/report.html"' in measure["run"]
    assert link["env"]["ADDRESS"] == f"${{{{ steps.{keep['id']}.outputs.artifact-url }}}}"
    summary = tmp_path / "summary.md"
    for told in ("What the gate has said", "The run, and its report with charts (report.html)"):
        subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", link["run"]],
            env={
                **os.environ,
                "ADDRESS": "https://example.org/1",
                "FOLDER": str(tmp_path),
                "GITHUB_STEP_SUMMARY": str(summary),
            },
            check=True,
        )
        assert summary.read_text("utf-8").splitlines()[-1] == f"[{told}](https://example.org/1)"
        (tmp_path / "report.html").touch()
