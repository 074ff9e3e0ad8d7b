"""What ``run`` stores and prints."""

import json
import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from tests.runs import (
    ROOT,
    command,
    config,
    document,
    hostile,
    outcomes,
    run,
    server_below,
    started,
    wait_until,
    watched,
)

pytestmark = [pytest.mark.e2e]


@pytest.mark.long
def test_every_case_of_a_block_meets_the_same_delays_and_errors(tmp_path: Path) -> None:
    profile = {"latency": {"uniform": ["1ms", "9ms"]}, "error_rate": "25%"}
    strategies = ["sequential", "threadpool_map", "processpool_map"]
    path = config(tmp_path, strategies, countries="pop20", profile=profile, blocks=4)
    assert run(path).returncode == 0
    by_block: dict[int, set[tuple[int, float]]] = {}
    for trial in document(path)["trials"]:
        timed, *others = trial["rounds"]
        assert all(other["fetches"] == timed["fetches"] for other in others)
        assert timed["fetches"]["ok"] + timed["fetches"].get("server_error", 0) == 20
        assert timed["verified"] == timed["fetches"]["ok"]
        longest_s = timed["planned_ideal_s"] if trial["case"].startswith("sequential") else 0.0
        by_block.setdefault(trial["block"], set()).add((timed["fetches"]["ok"], longest_s))
    assert all(len({ok for ok, _ in seen}) == 1 for seen in by_block.values())
    assert len({max(ideal for _, ideal in seen) for seen in by_block.values()}) == 4


@pytest.mark.long
def test_json_option_prints_only_the_stored_document(tmp_path: Path) -> None:
    path = config(tmp_path, ["sequential"])
    result = run(path, "--json")
    assert json.loads(result.stdout) == document(path)


@pytest.mark.long
def test_piped_progress_is_one_plain_line_per_block(tmp_path: Path) -> None:
    result = watched(config(tmp_path, ["sequential"]))
    lines = [line for line in result.stderr.splitlines() if line.startswith("block ")]
    assert [line[:12] for line in lines] == ["block 1 of 2", "block 2 of 2"]
    assert "\x1b" not in result.stderr + result.stdout


@pytest.mark.long
def test_trial_without_descriptors_is_repeated_three_times_and_leaves_the_run_inconclusive(
    tmp_path: Path,
) -> None:
    path = config(tmp_path, ["sequential", *hostile(tmp_path, "lacks_descriptors")], blocks=1)
    result = watched(path)
    assert result.returncode == 8, result.stderr
    spoilt = [trial for trial in document(path)["trials"] if trial["outcome"] == "invalid"]
    assert [trial["attempt"] for trial in spoilt] == [0, 1, 2, 3]
    assert outcomes(path)["sequential"] == ["ok"]
    assert result.stderr.count("; it is repeated\n") == 3
    assert "s of it for 3 disturbed trials), " in result.stderr


@pytest.mark.long
def test_crashed_server_is_replaced_once_and_then_ends_the_run(tmp_path: Path) -> None:
    path = config(tmp_path, ["threadpool_map"], blocks=500, profile={"latency": "100ms"})
    journal = path.parent / "run" / "journal.jsonl"
    with started(path) as process:
        first = server_below(process.pid)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: b'"invalid"' in journal.read_bytes(), 15)
        lines = journal.read_bytes().count(b"\n")
        wait_until(lambda: journal.read_bytes().count(b"\n") >= lines + 2, 15)
        second = server_below(process.pid)
        assert second != first
        os.kill(second, signal.SIGKILL)
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == 4
    assert "error[environment]: the flag server is gone" in stderr
    assert outcomes(path)["threadpool_map"].count("invalid") == 1


@pytest.mark.long
def test_quiet_prints_warnings_and_notes_and_where_the_run_is_stored(tmp_path: Path) -> None:
    result = run(config(tmp_path, ["sequential"], blocks=1, workers=[5000]), "--quiet")
    *said, last = result.stderr.splitlines()
    folder = tmp_path / "run"
    assert last == f"kept in {folder}; for a page with charts: python -m bench report {folder}"
    assert all(line.startswith(("note: ", "warning: ")) for line in said)


@pytest.mark.long
def test_run_writes_the_report_that_it_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "reports" / "page.html"
    result = run(config(tmp_path, ["sequential", "threadpool_map"]), "--report", str(file))
    assert result.returncode == 0, result.stderr
    page = file.read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert 'id="elapsed"' in page


@pytest.mark.long
@pytest.mark.parametrize("stream", ["stdout", "stderr", "both"])
def test_closed_pipe_does_not_stop_a_run(tmp_path: Path, stream: str) -> None:
    path = config(tmp_path, ["sequential", *hostile(tmp_path, "raises")])
    pipes = {"stdout": "| head -c 1", "stderr": "2>&1 >/dev/null | head -c 1", "both": "2>&1 | head -c 1"}
    line = f"{shlex.join(command(path))} {pipes[stream]}; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert result.returncode == 3
    assert document(path)["status"] == "complete"
    assert len(document(path)["trials"]) == 4
    assert b"Traceback" not in result.stderr
