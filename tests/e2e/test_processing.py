"""CPU work on each flag, in threads, event loops, processes and on the machines of a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from bench.model.flags import all_flags
from bench.storage.journal import new_journal, read_journal
from tests.runs import config, document, resumed, run

pytestmark = pytest.mark.e2e

TIMES = 20
LONG = [
    {"name": "asyncio_gather", "clients": ["aiohttp"]},
    "processpool_map",
    "asyncio_to_thread",
    "dask",
    "dask+gather",
]


def check_work_is_done(folder: Path, strategies: Sequence[object]) -> None:
    """Run cases with and without work, and check that the server saw the same, and the program worked."""
    path = config(folder, strategies, process={"kind": "json", "times": [0, 50]}, blocks=1)
    ended = run(path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    elapsed_s: dict[str, dict[bool, float]] = {}
    for trial in document(path)["trials"]:
        assert trial["outcome"] == "ok", trial
        for each in trial["rounds"]:
            assert each["server"]["requests"] == 3
            assert each["fetches"] == {"ok": 3}
        strategy, works = trial["case"].split("/")[0], "/50json" in trial["case"]
        elapsed_s.setdefault(strategy, {})[works] = median(each["elapsed_s"] for each in trial["rounds"])
    assert len(elapsed_s) == len(strategies)
    for strategy, taken_s in elapsed_s.items():
        assert taken_s[True] > taken_s[False] + 0.01, (
            strategy
        )  # 150 times 2 ms, and a third of it at the least


@pytest.mark.long
def test_threads_work_on_what_they_download_and_the_table_has_times_by_downloads(tmp_path: Path) -> None:
    path = config(
        tmp_path,
        ["threadpool_map"],
        countries={"codes": ["BR", "CN"], "repeat": [1, 2]},
        process={"kind": "decode", "times": [0, 20]},
        blocks=1,
    )
    ended = run(path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    titles = [line for line in ended.stdout.splitlines() if "time by number of downloads" in line]
    assert titles == [f"5ms, {times} × decode: time by number of downloads" for times in (0, 20)]
    assert "2 to 4 flags" in ended.stdout
    assert "each with 0 or 20 × decode" in ended.stdout
    elapsed_s = {trial["case"]: trial["rounds"][0]["elapsed_s"] for trial in document(path)["trials"]}
    idle_s, working_s = (elapsed_s[f"threadpool_map/urllib3/3/5ms/{n}decode/4fetches"] for n in (0, 20))
    assert working_s > idle_s + 0.02  # 4 times 20 ms, one after the other, and a quarter of it at the least


@pytest.mark.long
def test_ideal_has_the_work_and_no_round_is_faster(tmp_path: Path) -> None:
    """By the server's log, each round is as planned; without work as well as with it."""
    strategies = ["sequential", "threadpool_map", {"name": "asyncio_gather", "clients": ["aiohttp"]}]
    strategies += [{"name": "processpool_map", "workers": [2]}]
    path = config(tmp_path, strategies, process={"kind": "json", "times": [0, TIMES]}, blocks=1)
    ended = run(path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "time by CPU work on each flag" in ended.stdout
    found = {trial["case"]: trial for trial in document(path)["trials"]}
    for name, trial in found.items():
        strategy, _, workers, _, work = name.split("/")
        assert trial["outcome"] == "ok", trial
        for each in trial["rounds"]:
            assert (each["fetches"], each["verified"], each["server"]["requests"]) == ({"ok": 3}, 3, 3)
            assert each["server"]["connections"] <= int(workers)
            assert each["server"]["retries"] == 0
            assert each["planned_ideal_s"] <= each["ideal_s"] <= each["elapsed_s"]
            if each["gap"] is not None:
                gap_s = sum(each["gap"].values())
                assert gap_s == pytest.approx(each["elapsed_s"] - each["planned_ideal_s"], abs=1e-6)
        assert (trial.get("work_s_per_byte", 0.0) > 0) is (work != "0json"), strategy
    for name, trial in found.items():
        if name.endswith("/0json"):
            check_work_of(trial, found[name.replace("/0json", f"/{TIMES}json")])


def check_work_of(idle: Mapping[str, Any], working: Mapping[str, Any]) -> None:
    """Check that the ideal grows by work, and the time of a loop by the least that was measured."""
    assert working["rounds"][0]["planned_ideal_s"] > idle["rounds"][0]["planned_ideal_s"] + 0.001
    if working["case"].startswith("sequential/"):
        sizes = [len(flag) for code, flag in all_flags().items() if code in {"BR", "CN", "IN"}]
        least_s = TIMES * sum(sizes) * working["work_s_per_byte"]
        for each in working["rounds"]:
            assert each["elapsed_s"] >= 3 * 0.005 + 0.999 * least_s
            assert each["planned_ideal_s"] <= 3 * 0.005 + 0.999 * least_s + 1e-9


@pytest.mark.long
def test_resumed_run_knows_the_work_that_it_has_measured_before(tmp_path: Path) -> None:
    """A first trial is made to say that its work took next to nothing, which no later one can measure."""
    path = config(tmp_path, ["sequential"], process={"kind": "json", "times": TIMES})
    assert run(path).returncode == 0
    folder = tmp_path / "run"
    past = read_journal(folder / "journal.jsonl")
    (folder / "journal.jsonl").unlink()
    with new_journal(folder / "journal.jsonl", past.header) as journal:
        journal.append(replace(past.trials[0], work_s_per_byte=1e-15))
    ended = resumed(path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    first, second = document(path)["trials"]
    assert first["rounds"][0]["planned_ideal_s"] > 3 * 0.005 + 0.001
    assert second["rounds"][0]["planned_ideal_s"] == pytest.approx(3 * 0.005)
    assert second["work_s_per_byte"] > 1e-9


@pytest.mark.long
def test_strategy_that_leaves_out_the_work_fails(tmp_path: Path) -> None:
    (tmp_path / "idle.py").write_text(
        """
from strategies.threadpool_map import download_many as download_with_work

CLIENTS = "sync"

def download_many(job):
    return download_with_work(job._replace(processing=None))
""",
        "utf-8",
    )
    strategy = {"name": "idle.py", "clients": ["urllib3"]}
    path = config(tmp_path, [strategy], process={"kind": "json", "times": 2}, blocks=1)
    ended = run(path)
    assert ended.returncode == 3, ended.stdout + ended.stderr
    (trial,) = document(path)["trials"]
    assert trial["outcome"] == "missing"
    assert trial["detail"].startswith("3 flags without CPU work: BR, CN")


@pytest.mark.long
def test_event_loops_processes_and_clusters_work_on_what_they_have_downloaded(tmp_path: Path) -> None:
    check_work_is_done(tmp_path, LONG)
