"""Running with too few open files, too little disk space or too few processes."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("prlimit") is None, reason="limits are set by prlimit of util-linux"),
]

ROOT = Path(__file__).parents[2]
GROUPS = Path("/sys/fs/cgroup")
HOSTILE = ROOT / "tests" / "strategies"


def config(folder: Path, **changes: object) -> Path:
    """Write a config of three flags at 5 ms and return its path."""
    settings = {
        "name": "limits",
        "countries": {"codes": ["BR", "CN", "IN"], "repeat": 20},
        "workers": 3,
        "clients": ["urllib3"],
        "strategies": ["threadpool_map"],
        "profile": {"latency": "5ms"},
        "blocks": 1,
        "rounds": 1,
        **changes,
    }
    path = folder / "limits.yaml"
    path.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    return path


def limited(
    words: Sequence[str], soft: int, hard: int, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command with a limit of open files, as under ``ulimit -n``."""
    return subprocess.run(
        ["prlimit", f"--nofile={soft}:{hard}", sys.executable, "-m", "bench", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )


def run(
    path: Path, soft: int, hard: int | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a config with a limit of open files."""
    words = ["run", str(path), "--quiet", "--out", str(path.parent / "run")]
    return limited(words, soft, soft if hard is None else hard, **environment)


def document(path: Path) -> dict[str, Any]:
    """Read the stored run."""
    stored: dict[str, Any] = json.loads((path.parent / "run" / "run.json").read_text("utf-8"))
    return stored


@pytest.mark.long
@pytest.mark.parametrize(("limit", "workers"), [(20, 3), (68, 30)])
def test_few_workers_run_with_few_open_files(tmp_path: Path, limit: int, workers: int) -> None:
    path = config(tmp_path, workers=workers)
    result = run(path, limit)
    assert (result.returncode, result.stderr.count("Traceback")) == (0, 0), result.stderr
    assert [trial["outcome"] for trial in document(path)["trials"]] == ["ok"]


@pytest.mark.parametrize(
    ("limit", "workers", "need"),
    [(12, 3, 16), *(pytest.param(*each, marks=pytest.mark.long) for each in ((32, 30, 68), (64, 60, 128)))],
)
def test_too_few_open_files_are_reported_before_anything_is_started(
    tmp_path: Path, limit: int, workers: int, need: int
) -> None:
    path = config(tmp_path, workers=workers)
    result = run(path, limit)
    assert result.returncode == 4
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error[environment]: open files: {need} needed by the ")
    assert f", {limit} available (RLIMIT_NOFILE, hard limit); raise the limit with `ulimit -n" in line
    assert not (tmp_path / "run").exists()
    assert result.stdout == ""


@pytest.mark.long
def test_check_and_noise_report_the_same_shortage(tmp_path: Path) -> None:
    path = config(tmp_path, workers=60, blocks=20)
    out = tmp_path / "run"
    for words in (["check", str(path)], ["noise", str(path), "--out", str(out)]):
        result = limited(words, 64, 64)
        assert (result.returncode, result.stdout) == (4, "")
        assert "open files: 128 needed by " in result.stderr
    assert not out.exists()


@pytest.mark.long
def test_soft_limit_is_raised(tmp_path: Path) -> None:
    path = config(tmp_path, workers=60)
    assert run(path, 20, 256).returncode == 0
    assert [trial["outcome"] for trial in document(path)["trials"]] == ["ok"]


@pytest.mark.long
def test_no_limit_of_open_files_ends_in_a_traceback(tmp_path: Path) -> None:
    path = config(tmp_path)
    for limit in (5, 7, 9):
        result = run(path, limit)
        assert result.returncode != 0
        if "bench" in result.stderr:
            assert "Traceback" not in result.stderr, limit


@pytest.mark.long
def test_too_little_disk_space_is_reported_before_anything_is_started(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("to mount a small file system takes root, and unshare of util-linux")
    small = tmp_path / "small"
    small.mkdir()
    path = config(tmp_path)
    mount = f"mount -t tmpfs -o size=64k tmpfs {small}"
    program = f"{sys.executable} -m bench run {path} --quiet --out {small}/run"
    result = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{mount} && {program}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if "mount" in result.stderr or "unshare" in result.stderr:
        pytest.skip(f"no file system can be mounted here: {result.stderr.strip()}")
    assert result.returncode == 4
    assert result.stderr.startswith(
        "error[environment]: disk for results: 265 KiB needed by 1 trial, 64 KiB available"
    )
    assert f"(statvfs(3) of {small})" in result.stderr


@pytest.mark.long
def test_trial_is_invalid_if_the_server_has_no_descriptor_for_its_clients(tmp_path: Path) -> None:
    hoards = os.path.relpath(HOSTILE / "hoards_connections.py", tmp_path)
    path = config(
        tmp_path, strategies=[hoards], workers=1, countries=["BR"], request_timeout="200ms", deadline="5s"
    )
    result = run(path, 40)
    assert result.returncode == 8, result.stderr
    found = {(trial["outcome"], trial["detail"]) for trial in document(path)["trials"]}
    assert found == {("invalid", "local_resource: the server had no descriptor for another connection")}


@pytest.fixture
def process_group() -> Iterator[Path]:
    """Make a control group that limits processes; skip where none can be made."""
    top = next((each for each in (GROUPS / "pids", GROUPS) if (each / "cgroup.procs").exists()), GROUPS)
    group = top / f"flagbench-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        if not (group / "pids.max").exists():
            pytest.skip("control groups do not limit processes here")
        yield group
    finally:
        group.rmdir()


@pytest.mark.long
@pytest.mark.parametrize(
    ("limit", "strategy"),
    [(2, "threadpool_map"), (3, "threadpool_map"), (10, "threadpool_map"), (10, "processpool_map")],
)
def test_limit_of_threads_and_processes_is_named_without_a_traceback(
    tmp_path: Path, process_group: Path, limit: int, strategy: str
) -> None:
    path = config(tmp_path, workers=20, strategies=[strategy])
    (process_group / "pids.max").write_text(str(limit), encoding="ascii")
    program = f"exec {sys.executable} -m bench run {path} --quiet --out {tmp_path}/run"
    result = subprocess.run(
        ["sh", "-c", f"echo $$ > {process_group}/cgroup.procs; {program}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode in {4, 8}  # nothing could be started, or every trial was discarded
    assert "Traceback" not in result.stderr
    details = [trial["detail"] for trial in document(path)["trials"]]
    for line in details or result.stderr.splitlines()[-1:]:
        assert "the limit of threads and processes is reached (ulimit -u, pids.max)" in line
