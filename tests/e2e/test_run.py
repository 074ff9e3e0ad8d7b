"""Run ``run``: interruptions, dying servers, and remaining processes."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from bench.system.process_tree import descendants
from tests.runs import (
    ROOT,
    alive,
    command,
    command_line,
    config,
    document,
    hostile,
    outcomes,
    resumed,
    run,
    started,
    wait_until,
    watched,
    workspaces_of,
)
from tests.terminals import bare_terminal

pytestmark = [pytest.mark.e2e, pytest.mark.alone]


def _sleepers() -> list[int]:
    """Return what the strategy that leaves a grandchild has left."""
    found = (int(each.name) for each in Path("/proc").glob("[0-9]*"))
    return [pid for pid in found if b"4321" in command_line(pid)]


@pytest.mark.long
def test_every_round_has_its_server_log_and_ideal(tmp_path: Path) -> None:
    path = config(tmp_path, ["threadpool_map", "sequential"], countries="pop20", profile={"latency": "20ms"})
    run(path)
    for trial in document(path)["trials"]:
        for each in [trial["warm_up"], *trial["rounds"]]:
            assert each["elapsed_s"] >= each["ideal_s"] >= each["planned_ideal_s"]
            assert each["server"]["requests"] == 20
        in_flight = trial["rounds"][0]["server"]["max_in_flight"]
        assert in_flight == (1 if trial["case"].startswith("sequential") else 3)


@pytest.mark.long
def test_estimated_duration_is_within_a_factor_of_three(tmp_path: Path) -> None:
    result = watched(config(tmp_path, ["sequential", "threadpool_map"], blocks=4))
    assert "test: 2 cases in 4 blocks, about " in result.stderr
    words = r"^took ([\d.]+) s, ([\d.]+) s were expected for these blocks \(([+-]\d+)%\)$"
    found = re.search(words, result.stderr, re.MULTILINE)
    assert found is not None
    assert 1 / 3 < float(found[1]) / float(found[2]) < 3
    assert float(found[3]) == pytest.approx(100 * (float(found[1]) / float(found[2]) - 1), abs=2)


@pytest.mark.long
def test_precise_case_stops_early_and_failing_case_runs_all_blocks(tmp_path: Path) -> None:
    path = config(
        tmp_path,
        ["sequential", *hostile(tmp_path, "raises")],
        profile={"latency": "40ms"},
        blocks={"min": 6, "max": 8},
        precision="50%",
    )
    result = watched(path)
    assert result.returncode == 3, result.stderr
    assert outcomes(path) == {"sequential": ["ok"] * 6, "raises": ["error"] * 8}
    stored = document(path)
    assert stored["status"] == "complete"
    assert stored["config"]["stopping"] == {"least_blocks": 6, "precision": 0.5, "budget_s": None}
    assert "test: 2 cases in 6 to 8 blocks, about " in result.stderr
    assert re.search(
        r"^sequential/urllib3/1/40ms: precise enough after 6 blocks \(±[\d.]+%\)$",
        result.stderr,
        re.MULTILINE,
    )
    assert "block 8 of up to 8: 14 of up to 14 trials; leader: " in result.stderr
    assert "were expected for these blocks" in result.stderr


@pytest.mark.long
def test_budget_ends_a_run_after_the_block_that_exceeds_it(tmp_path: Path) -> None:
    path = config(tmp_path, ["sequential", "threadpool_map"], blocks={"min": 1, "max": 500}, budget="1500ms")
    assert run(path).returncode == 0
    stored = document(path)
    assert stored["status"] == "complete"
    took_s = [trial["took_s"] for trial in stored["trials"]]
    assert sum(took_s) >= 1.5 > sum(took_s[:-2])
    found = outcomes(path)
    assert found["sequential"] == found["threadpool_map"] == ["ok"] * (len(took_s) // 2)


@pytest.mark.long
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_run_keeps_and_shows_finished_trials(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    path = config(tmp_path, ["threadpool_map"], blocks=500)
    journal = tmp_path / "run" / "journal.jsonl"
    with started(path) as process:
        below = descendants(process.pid)
        # a trial is kept once it is on the disk, which it is for sure when the next one is written
        wait_until(lambda: journal.read_bytes().count(b"\n") > 2, 20)
        process.send_signal(number)
        sent = time.monotonic()
        stdout, stderr = process.communicate(timeout=10)
        assert time.monotonic() - sent < 2
    assert process.returncode == code
    stored = document(path)
    assert stored["status"] == "partial"
    assert 0 < len(stored["trials"]) < 500
    assert ", partial" in stdout
    again = f"`python -m bench run {path} --resume {tmp_path / 'run'}`"
    assert f"{len(stored['trials'])} of 500 trials kept in {tmp_path / 'run'}; resume with {again}" in stderr
    wait_until(lambda: not alive(below), 1)


@pytest.mark.long
def test_use_by_other_processes_is_added_up_over_the_sessions_of_a_run(tmp_path: Path) -> None:
    """An interrupt ends a session that is known; the journal has all of them."""
    path = config(tmp_path, ["threadpool_map"], blocks=6)
    journal = tmp_path / "run" / "journal.jsonl"
    with started(path) as process:
        wait_until(lambda: journal.read_bytes().count(b"\n") > 2, 20)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    assert process.returncode == 130
    assert resumed(path).returncode == 0
    lines = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    kinds = [kind for line in lines for kind in line if kind != "crc32"]
    assert [kind for kind in kinds if kind != "trial"] == ["run", "others", "resumed", "others"]
    lasted_s = [line["others"]["lasted_s"] for line in lines if "others" in line]
    assert all(0 < each < 60 for each in lasted_s)
    assert document(path)["others"]["lasted_s"] == pytest.approx(sum(lasted_s))


@pytest.mark.long
def test_names_of_other_programs_can_be_kept_out_of_the_results(tmp_path: Path) -> None:
    path = config(tmp_path, ["threadpool_map"], blocks=1, process_names=False)
    assert run(path).returncode == 0
    assert "others" not in document(path)
    assert '"others"' not in (tmp_path / "run" / "journal.jsonl").read_text("utf-8")


@pytest.mark.long
def test_killed_runner_leaves_no_process_and_no_temporary_folder(tmp_path: Path) -> None:
    path = config(tmp_path, ["threadpool_map"], blocks=500, profile={"latency": "200ms"})
    with started(path) as process:
        below = descendants(process.pid)
        assert len(below) >= 2
        workspaces = set(workspaces_of(below))
        assert workspaces
        process.kill()
        wait_until(lambda: not alive(below), 1)
    wait_until(lambda: not any(workspace.exists() for workspace in workspaces), 1)


@pytest.mark.long
def test_result_in_a_pipe_stays_plain_while_progress_is_on_a_terminal(tmp_path: Path) -> None:
    path = config(tmp_path, ["sequential", *hostile(tmp_path, "raises")])
    with bare_terminal() as terminal:
        stdout = subprocess.run(
            command(path),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=terminal.descriptor,
            text=True,
            check=False,
            timeout=30,
        ).stdout
    shown = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", terminal.given.decode())
    assert "block 2 of 2" in shown
    assert re.search(r"^sequential +urllib3 ", shown, re.MULTILINE)
    assert "raises/urllib3/3/5ms, block 1: error:" in " ".join(shown.split())
    assert "\x1b" not in stdout
    assert "was fastest" in stdout


@pytest.mark.long
def test_planned_failures_are_counted_per_fetch_and_timed(tmp_path: Path) -> None:
    profile = {
        "latency": {"uniform": ["1ms", "20ms"]},  # far from the time-out, whatever else the machine does
        "error_rate": "20%",
        "error_status": 503,
        "faults": [{"kind": "stall", "rate": "20%"}],
    }
    path = config(
        tmp_path,
        ["asyncio_gather", "threadpool_map"],
        clients=["aiohttp", "urllib3"],
        countries="B",
        workers=26,
        profile=profile,
        request_timeout="500ms",
        seed=3,
    )
    result = run(path)
    assert result.returncode == 0, result.stdout
    by_block: dict[int, list[dict[str, int]]] = {}
    for trial in document(path)["trials"]:
        assert trial["rounds"][0]["elapsed_s"] >= trial["rounds"][0]["ideal_s"]
        by_block.setdefault(trial["block"], []).append(trial["rounds"][0]["fetches"])
    for fetches in by_block.values():
        assert all(each == fetches[0] for each in fetches)
        assert set(fetches[0]) == {"ok", "not_found", "unavailable", "timeout"}


@pytest.mark.long
def test_latency_beyond_the_time_out_is_a_planned_time_out(tmp_path: Path) -> None:
    """It is timed, whatever the client is, and no failure of the strategy."""
    clients = ["aiohttp", "urllib3"]
    path = config(
        tmp_path,
        ["asyncio_gather", "threadpool_map"],
        clients=clients,
        profile={"latency": {"uniform": ["1ms", "20s"]}},  # the seed draws none near the time-out
        request_timeout="200ms",
        blocks=1,
    )
    result = run(path)
    assert result.returncode == 0, result.stdout
    assert [trial["rounds"][0]["fetches"] for trial in document(path)["trials"]] == [{"timeout": 3}] * 2


@pytest.mark.long
def test_signal_while_the_table_is_written_loses_nothing(tmp_path: Path) -> None:
    path = config(tmp_path, ["sequential"])
    process = subprocess.Popen(
        command(path), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("block 2 of 2"):
            pass
        process.send_signal(signal.SIGTERM)
        stdout, _ = process.communicate(timeout=10)
    assert process.returncode == 143
    assert len(document(path)["trials"]) == 2
    assert "sequential with urllib3 was fastest" in " ".join(stdout.split())


def test_second_signal_exits_at_once_and_restores_the_cursor(tmp_path: Path) -> None:
    path = config(tmp_path, hostile(tmp_path, "ignores_sigterm"), blocks=5)
    with bare_terminal() as terminal:
        process = subprocess.Popen(
            command(path), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=terminal.descriptor
        )
        with process:
            wait_until(
                lambda: any(b"-m\0bench.worker\0" in command_line(pid) for pid in descendants(process.pid)),
                20,
            )
            below = descendants(process.pid)
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)  # a second SIGINT would be taken for the same one
            sent = time.monotonic()
            assert process.wait(5) == 130
            assert time.monotonic() - sent < 0.5
        wait_until(lambda: not alive(below), 2)
    shown = bytes(terminal.given)
    assert b"left at once; the finished trials are in" in shown
    assert shown.count(b"\x1b[?25l") <= shown.count(b"\x1b[?25h")


def test_killed_supervisor_leaves_no_process(tmp_path: Path) -> None:
    strategies = ["threadpool_map", *hostile(tmp_path, "leaves_a_grandchild")]
    path = config(tmp_path, strategies, blocks=500, profile={"latency": "200ms"})
    before = set(_sleepers())
    with started(path) as process:
        wait_until(lambda: set(_sleepers()) - before, 20)
        below = descendants(process.pid)
        workspaces = workspaces_of(below)
        supervisor = next(pid for pid in below if b"bench.runner.processes.supervisor" in command_line(pid))
        os.kill(supervisor, signal.SIGKILL)
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == 4
    assert "error[environment]: the supervisor process has died" in stderr
    assert document(path)["status"] == "partial"
    wait_until(lambda: not alive(below), 2)
    assert set(_sleepers()) <= before
    assert not any(workspace.exists() for workspace in workspaces)
