"""Running a step of ``action.yml`` as GitHub does, as far as that takes no GitHub."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.runs import ROOT

_SHELL: Final = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")
_ASKED: Final = re.compile(r"\$\{\{ (inputs|github)\.([a-z_-]+) \}\}")
ACTION: Final[Mapping[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_bytes())


@dataclass(frozen=True, slots=True)
class Step:
    """How a step ended.

    Attributes:
        outputs: what it wrote for later steps.
        summary: what it wrote for the page of the job.
    """

    code: int
    stdout: str
    stderr: str
    outputs: Mapping[str, str]
    summary: str


def run_step(name: str, runner: Path, folder: Path, timeout_s: float = 60, **inputs: str) -> Step:
    """Run a step's script.

    Args:
        name: of the step.
        runner: the folder that jobs have for temporary files.
        folder: the checkout.
        timeout_s: seconds that it may take.
        inputs: those that the workflow gives, with ``_`` for ``-``; the others have their defaults.
    """
    (step,) = (each for each in ACTION["runs"]["steps"] if each["name"] == name)
    given = {key: each["default"] for key, each in ACTION["inputs"].items() if "default" in each}
    given |= {key.replace("_", "-"): value for key, value in inputs.items()}
    assert given.keys() <= ACTION["inputs"].keys()
    known = {"inputs": given, "github": {"action_path": str(ROOT)}}
    said = {
        key: _ASKED.sub(lambda asked: known[asked[1]][asked[2]], value) for key, value in step["env"].items()
    }
    script, outputs, summary = (runner / each for each in ("step.sh", "outputs", "summary.md"))
    script.write_text(step["run"], encoding="utf-8")
    for file in (outputs, summary):
        file.write_bytes(b"")
    assert step["shell"] == _SHELL[0]
    ended = subprocess.run(
        [*_SHELL, str(script)],
        cwd=folder,
        env={
            **os.environ,
            **said,
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "RUNNER_TEMP": str(runner),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(summary),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    lines = (line.partition("=") for line in outputs.read_text("utf-8").splitlines())
    return Step(
        ended.returncode,
        ended.stdout,
        ended.stderr,
        {key: value for key, _, value in lines},
        summary.read_text("utf-8"),
    )
