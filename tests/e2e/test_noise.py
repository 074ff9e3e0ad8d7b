"""Run ``noise``: a case against itself, the stored record, and the gates that it refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.alone]

ROOT = Path(__file__).parents[2]


def noise(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Call ``noise`` in a folder of its own, where it keeps its results."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bench.__main__ import main; main()"
    return subprocess.run(
        [sys.executable, "-P", "-c", program, "noise", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_noise_is_measured_stored_and_used_by_gate(tmp_path: Path) -> None:
    unknown = noise(tmp_path, "--gate", "3%")
    assert unknown.returncode == 4
    assert "the noise of this machine is not known; measure it with `flagbench noise`" in unknown.stderr

    settings = {
        "countries": ["BR", "CN", "IN"],
        "workers": 3,
        "clients": ["urllib3"],
        "strategies": ["threadpool_map"],
        "profile": {"latency": "5ms"},
        "rounds": 1,
    }
    (tmp_path / "mine.yaml").write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    measured = noise(tmp_path, "mine.yaml", "--blocks", "7", "--out", "run", "--json", "--quiet")
    assert measured.returncode in {0, 3}, measured.stderr
    found = json.loads(measured.stdout)
    (case,) = found["noise"]["cases"]
    assert case["case"] == "threadpool_map/urllib3/3/5ms"
    assert 6 <= len(case["pairs"]) <= 7
    assert len({each["what"] for each in found["advice"]}) == 8
    assert all(each["value"] and each["source"] for each in found["advice"])

    run = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert [each["variant"] for each in run["cases"]] == ["a", "b"]
    first = [trial["case"] for trial in run["trials"] if trial["position"] == 0]
    assert set(first) == {f"{case['case']}@a", f"{case['case']}@b"}
    assert "smallest slow-down" in (tmp_path / "run" / "table.md").read_text("utf-8")

    kept = tmp_path / "results" / "noise" / f"{run['environment']['fingerprint'][:12]}.json"
    assert json.loads(kept.read_text("utf-8")) == found
    assert str(kept.relative_to(tmp_path)) in measured.stderr

    held = noise(tmp_path, "--gate", "100%", "--blocks", "900")
    assert held.returncode == 0, held.stderr
    assert held.stdout.startswith("a gate of 100% can be held: it takes ")
    refused = noise(tmp_path, "--gate", "0.01%", "--blocks", "6")
    assert refused.returncode == 4
    assert "error[environment]: a gate of 0.01% takes" in refused.stderr
    assert "and has 6, which show" in refused.stderr
