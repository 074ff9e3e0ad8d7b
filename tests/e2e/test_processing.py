"""CPU work on each flag, in threads, event loops, processes and on the machines of a cluster."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import pytest

from tests.runs import config, document, run

pytestmark = pytest.mark.e2e

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
def test_event_loops_processes_and_clusters_work_on_what_they_have_downloaded(tmp_path: Path) -> None:
    check_work_is_done(tmp_path, LONG)
