"""``pytest --bench-config`` as a command, with pytest-benchmark and pytest-xdist."""

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import pytest

from bench.system.optional_dependencies import install_command
from tests.runs import ROOT, config, hostile, wait_until

pytestmark = [pytest.mark.e2e]

PLUGINS: Final = ("pytest_benchmark.plugin", "bench.pytest_plugin.entry")
TIMEOUT_S: Final = 100
INSTALL_PYTEST: Final = install_command("pytest").replace("'.[", f"'{ROOT}[")
"""The hint that is printed in a folder other than the checkout."""
EXPECTED_INFO: Final = {
    "strategy",
    "client",
    "workers",
    "profile",
    "efficiency",
    "max_in_flight",
    "min_verified",
}


def command(*words: str, plugins: tuple[str, ...] = PLUGINS) -> list[str]:
    """Return the command that runs pytest with these plugins only."""
    loaded = [word for plugin in plugins for word in ("-p", plugin)]
    return [sys.executable, "-m", "pytest", *loaded, *words]


def environment() -> Mapping[str, str]:
    """Return an environment in which pytest loads no other plugins, even below pytest-xdist."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    return {**own, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def call(folder: Path, *words: str, plugins: tuple[str, ...] = PLUGINS) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder, and wait for its end."""
    return subprocess.run(
        command(*words, plugins=plugins),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )


def benchmarks(file: Path) -> dict[str, dict[str, Any]]:
    """Read the JSON of pytest-benchmark, by full name."""
    written = json.loads(file.read_text("utf-8"))["benchmarks"]
    return {each["fullname"]: each for each in written}


def runs(folder: Path) -> list[dict[str, Any]]:
    """Read the stored runs, oldest first."""
    files = sorted((folder / "results" / "runs").glob("*/run.json"))
    return [json.loads(file.read_text("utf-8")) for file in files]


def value(trial: Mapping[str, Any]) -> float:
    """Return the value of a block: the mean of the faster half of its rounds."""
    elapsed_s = sorted(float(each["elapsed_s"]) for each in trial["rounds"])
    return fmean(elapsed_s[: math.ceil(len(elapsed_s) / 2)])


@pytest.mark.long
def test_pytest_benchmark_has_the_measured_blocks_to_the_last_bit(tmp_path: Path) -> None:
    """With columns of the results table, and parameters of the case to group by."""
    config(tmp_path, ["threadpool_map", "sequential"], blocks=3, rounds=3, workers=[2, 3])
    result = call(
        tmp_path,
        "--bench-config=test.yaml",
        "--benchmark-json=out.json",
        "--benchmark-group-by=param:workers",
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert all(f"benchmark 'workers={number}'" in result.stdout for number in (1, 2, 3))
    found = benchmarks(tmp_path / "out.json")
    (stored,) = runs(tmp_path)
    assert stored["status"] == "complete"
    by_case: dict[str, list[float]] = {}
    for trial in sorted(stored["trials"], key=lambda trial: int(trial["block"])):
        if trial["outcome"] == "ok":
            by_case.setdefault(trial["case"], []).append(value(trial))
    assert {name: each["stats"]["data"] for name, each in found.items()} == {
        f"flagbench::{case}": values for case, values in by_case.items()
    }
    each = found["flagbench::threadpool_map/urllib3/3/5ms"]
    assert each["name"] == each["param"] == "threadpool_map/urllib3/3/5ms"
    assert each["group"] == "5ms"
    assert each["params"]["workers"] == 3
    assert each["stats"]["rounds"] == 3
    assert each["stats"]["iterations"] == 1
    assert each["extra_info"].keys() >= {*EXPECTED_INFO, "cold_start_s", "run"}
    assert each["extra_info"]["min_verified"] == 3
    assert each["extra_info"]["run"] == stored["name"]


@pytest.mark.long
def test_saved_runs_are_compared_by_case(tmp_path: Path) -> None:
    config(tmp_path, ["threadpool_map"])
    asked = ("--bench-config=test.yaml", "--benchmark-only")
    assert call(tmp_path, *asked, "--benchmark-save=first").returncode == 0
    result = call(tmp_path, *asked, "--benchmark-compare", "--benchmark-columns=median")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "threadpool_map/urllib3/3/5ms (NOW)" in result.stdout
    assert "threadpool_map/urllib3/3/5ms (0001_first)" in result.stdout
    assert len(runs(tmp_path)) == 2


@pytest.mark.long
def test_collect_only_lists_the_cases_without_measuring(tmp_path: Path) -> None:
    config(tmp_path, ["threadpool_map", "sequential"])
    result = call(tmp_path, "--bench-config=test.yaml", "--collect-only", "-q")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines()[:2] == [
        "flagbench::threadpool_map/urllib3/3/5ms",
        "flagbench::sequential/urllib3/1/5ms",
    ]
    assert call(tmp_path, "--bench-config=test.yaml", "--setup-plan").returncode == 0
    assert not (tmp_path / "results").exists()


@pytest.mark.long
def test_deselected_and_skipped_cases_are_not_measured(tmp_path: Path) -> None:
    """With ``-k`` and with ``--benchmark-skip``; other tests are run."""
    config(tmp_path, ["threadpool_map", "sequential"])
    (tmp_path / "test_other.py").write_text("def test_other(): pass\n", encoding="utf-8")
    result = call(tmp_path, "--bench-config=test.yaml", "-k", "sequential or other", "-v")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "flagbench::sequential/urllib3/1/5ms PASSED" in result.stdout
    assert "2 passed, 1 deselected" in result.stdout
    assert {trial["case"] for trial in runs(tmp_path)[0]["trials"]} == {"sequential/urllib3/1/5ms"}
    assert "1 passed, 2 skipped" in call(tmp_path, "--bench-config=test.yaml", "--benchmark-skip").stdout
    assert len(runs(tmp_path)) == 1


@pytest.mark.long
def test_disabled_benchmarks_run_one_block(tmp_path: Path) -> None:
    config(tmp_path, ["threadpool_map"], blocks=5)
    result = call(tmp_path, "--bench-config=test.yaml", "--benchmark-disable")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout
    assert len(runs(tmp_path)[0]["trials"]) == 1


@pytest.mark.long
def test_failed_case_fails_its_item_with_the_reason(tmp_path: Path) -> None:
    """The other items pass, and only they have figures in pytest-benchmark."""
    config(tmp_path, [*hostile(tmp_path, "raises"), "sequential"])
    result = call(tmp_path, "--bench-config=test.yaml", "--benchmark-json=out.json")
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert "raises/urllib3/3/5ms: error in 2 trials (block 1, 2): " in result.stdout
    assert "Traceback" not in result.stdout
    assert "1 failed, 1 passed" in result.stdout
    assert list(benchmarks(tmp_path / "out.json")) == ["flagbench::sequential/urllib3/1/5ms"]


@pytest.mark.parametrize(
    ("words", "plugins", "message"),
    [
        pytest.param(
            ("--bench-config=no.yaml",), PLUGINS, "ERROR: no.yaml: no such file", marks=pytest.mark.long
        ),
        (("--bench-config=bad.yaml",), PLUGINS, "ERROR: bad.yaml:1:"),
        pytest.param(
            ("--bench-config=test.yaml", "-n2"),
            (*PLUGINS, "xdist.plugin"),
            "ERROR: leave out -n and --tx, or use -n0",
            marks=pytest.mark.long,
        ),
        pytest.param(
            ("--bench-config=test.yaml",),
            ("bench.pytest_plugin.entry",),
            f"ERROR: {INSTALL_PYTEST}",
            marks=pytest.mark.long,
        ),
    ],
    ids=["no-file", "bad-config", "xdist", "no-pytest-benchmark"],
)
def test_impossible_session_is_a_usage_error_without_a_traceback(
    tmp_path: Path, words: tuple[str, ...], plugins: tuple[str, ...], message: str
) -> None:
    config(tmp_path, ["sequential"])
    (tmp_path / "bad.yaml").write_text("{strategies: [none_such], blocks: many}", encoding="utf-8")
    result = call(tmp_path, *words, plugins=plugins)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.long
def test_xdist_without_processes_measures(tmp_path: Path) -> None:
    config(tmp_path, ["sequential"])
    result = call(tmp_path, "--bench-config=test.yaml", "-n0", plugins=(*PLUGINS, "xdist.plugin"))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.long
def test_error_of_the_run_fails_the_items(tmp_path: Path) -> None:
    """Other tests are run."""
    config(tmp_path, ["sequential"])
    (tmp_path / "results").write_text("in the way", encoding="utf-8")
    (tmp_path / "test_other.py").write_text("def test_other(): pass\n", encoding="utf-8")
    result = call(tmp_path, "--bench-config=test.yaml")
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert "the run: results/runs cannot be" in result.stdout
    assert "1 failed, 1 passed" in result.stdout


def test_session_without_the_option_imports_no_case(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import sys\ndef test_other(): assert 'bench.model.cases' not in sys.modules\n", encoding="utf-8"
    )
    result = call(tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout


@pytest.mark.long
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 2), (signal.SIGTERM, 143)])
def test_signal_ends_the_session_and_stores_a_partial_run(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """The message has the command that resumes the run."""
    config(tmp_path, ["sequential"], blocks=500)
    runs_folder = tmp_path / "results" / "runs"
    process = subprocess.Popen(
        command("--bench-config=test.yaml"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            wait_until(lambda: any(_trials(each) > 1 for each in runs_folder.glob("*/journal.jsonl")), 30)
            process.send_signal(number)
            stdout, stderr = process.communicate(timeout=TIMEOUT_S)
        finally:
            process.kill()
    assert process.returncode == code, stdout + stderr
    assert "bench run test.yaml --resume results/runs/test-" in stderr
    assert runs(tmp_path)[0]["status"] == "partial"


def _trials(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") - 1
