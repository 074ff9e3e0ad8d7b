"""What the action's script makes of its inputs and of the gate's exit code; the gate is a stand-in here."""

import json
from pathlib import Path

import pytest

from tests.action import ACTION, run_step

MEASURE = "Measure"


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """Return a folder for temporary files where a flagbench is installed that ends as it is told."""
    program = tmp_path / "flagbench" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text(
        "#!/usr/bin/env python3\n"
        "import json, os, pathlib, sys\n"
        "words = sys.argv[4:]\n"
        "assert sys.argv[1:4] == ['-P', '-m', 'bench']\n"
        "pathlib.Path(os.environ['RUNNER_TEMP'], 'words.json').write_text(json.dumps(words))\n"
        "if os.environ.get('MEASURES'):\n"
        "    pathlib.Path(words[words.index('--junit') + 1]).write_text('<testsuites/>')\n"
        "print('::warning::from the gate')\n"
        "sys.exit('first line\\nlast line' if os.environ['CODE'] == '1' else int(os.environ['CODE']))\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    return tmp_path


def words(runner: Path) -> list[str]:
    """Return what the gate was called with, up to where its files go."""
    said: list[str] = json.loads((runner / "words.json").read_bytes())
    return said[: said.index("--junit")]


def test_inputs_become_options_where_they_are_given(runner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words with spaces and signs stay one word each."""
    monkeypatch.setenv("CODE", "0")
    assert run_step(MEASURE, runner, runner).code == 0
    assert words(runner) == ["gate", "gate", "--github"]
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
def test_the_step_ends_as_the_gate_does(runner: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """And says so to later steps, as well as where the files are."""
    monkeypatch.setenv("CODE", str(code))
    step = run_step(MEASURE, runner, runner)
    assert step.code == code
    assert step.outputs["exit-code"] == str(code)
    assert Path(step.outputs["folder"]).parent == runner
    assert step.stdout.startswith("::warning::from the gate\n")


def test_only_a_gate_that_could_not_decide_may_pass(runner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If that is asked for."""
    for code, passes in ((8, True), (1, False), (3, False)):
        monkeypatch.setenv("CODE", str(code))
        step = run_step(MEASURE, runner, runner, inconclusive="pass")
        assert (step.code == 0) is passes
        assert step.outputs["exit-code"] == str(code)


def test_what_kept_the_gate_from_measuring_is_an_annotation(
    runner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last line of what it said; where it has measured all, it annotates by itself."""
    monkeypatch.setenv("CODE", "1")
    step = run_step(MEASURE, runner, runner)
    assert "::error title=flagbench gate::last line" in step.stdout.splitlines()
    assert step.stderr.splitlines() == ["first line", "last line"]
    monkeypatch.setenv("MEASURES", "1")
    assert "::error" not in run_step(MEASURE, runner, runner).stdout


def test_the_folder_of_the_step_is_what_is_kept() -> None:
    """Whatever became of it."""
    *_, keep = ACTION["runs"]["steps"]
    assert keep["if"] == "${{ always() && steps.gate.outputs.folder }}"
    assert keep["with"]["path"] == "${{ steps.gate.outputs.folder }}"
