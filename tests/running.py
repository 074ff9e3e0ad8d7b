"""Running a config from outside, as a user does."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HOSTILE = ROOT / "tests" / "strategies"


def config(folder: Path, strategies: Sequence[str], **changes: object) -> Path:
    """Write a config of three flags at 5 ms and return its path."""
    settings = {
        "name": "test",
        "countries": ["BR", "CN", "IN"],
        "workers": 3,
        "clients": ["urllib3"],
        "strategies": list(strategies),
        "profile": {"latency": "5ms"},
        "blocks": 2,
        "rounds": 1,
        "disturbed": "keep",  # other programs may be busy while tests run
        **changes,
    }
    path = folder / "test.yaml"
    path.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    return path


def hostile(folder: Path, *names: str) -> list[str]:
    """Return strategies of the tests as a config in the folder names them."""
    return [os.path.relpath(HOSTILE / f"{name}.py", folder) for name in names]


def command(path: Path, *words: str) -> list[str]:
    """Return the command that runs a config into a folder beside it."""
    return [sys.executable, "-m", "bench", "run", str(path), "--out", str(path.parent / "run"), *words]


def run(
    path: Path, *words: str, within: Sequence[str] = (), patience_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a config to its end, without a word on how far it is, within what limits a command."""
    return _ended([*within, *command(path, "--quiet", *words)], patience_s)


def watched(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a config to its end, with all that is said meanwhile."""
    return _ended(command(path, *words), 60)


def _ended(line: Sequence[str], patience_s: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=patience_s)


def document(path: Path) -> dict[str, Any]:
    """Read the stored run."""
    stored: dict[str, Any] = json.loads((path.parent / "run" / "run.json").read_text("utf-8"))
    return stored


def outcomes(path: Path) -> dict[str, list[str]]:
    """Return the outcomes of each strategy's trials, in block order."""
    found: dict[str, list[str]] = {}
    for trial in sorted(document(path)["trials"], key=lambda trial: int(trial["block"])):
        found.setdefault(trial["case"].partition("/")[0], []).append(trial["outcome"])
    return found
