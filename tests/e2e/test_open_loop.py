"""Open loops of real strategies and clients against the flag server, checked against its log."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from bench.model.latency_histogram import merge_histograms
from bench.model.round_spans import unpack_spans
from tests.nginx import Nginx, running_nginx
from tests.runs import config, document, run

pytestmark = pytest.mark.e2e

RATE = 50.0
FETCHES = 30
ROUNDING_S = 1e-6
"""Spans have whole microseconds."""
COUNTRIES = {"codes": ["BR", "CN", "IN"], "repeat": FETCHES // 3}
LOOPS = [
    {"name": "asyncio_gather", "clients": ["aiohttp"]},
    {"name": "asyncio_gather+uvloop", "clients": ["aiohttp"]},
    {"name": "asyncio_client_limit", "clients": ["aiohttp"]},
    {"name": "anyio_taskgroup+trio", "clients": ["httpx"]},
    {"name": "gevent_spawn", "clients": ["urllib3"]},
    "processpool_map+spawn",
    {"name": "processpool_asyncio", "clients": ["aiohttp"]},
]


def open_loop(folder: Path, strategies: Sequence[object], **changes: object) -> Path:
    """Write a config of an open loop against a server that answers after 20 ms."""
    settings = {
        "countries": COUNTRIES,
        "workers": 8,
        "clients": ["urllib3", "aiohttp", "httpx"],
        "profile": {"latency": "20ms"},
        "rate": f"{RATE:g}/s",
        "blocks": 1,
        "probes": "none",
        **changes,
    }
    return config(folder, strategies, **settings)


def good_trials(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return the last trial of each case by the name of its strategy; all must have succeeded."""
    found = {trial["case"].split("/")[0]: trial for trial in document(path)["trials"]}
    assert {trial["outcome"] for trial in found.values()} == {"ok"}, found
    return found


def assert_follows_schedule(trial: Mapping[str, Any], rate: float = RATE) -> None:
    """Check by the server's log that no request came before it was due, and that most came in time."""
    arrivals_s = sorted(each.arrival_s for each in unpack_spans(trial["spans"]).requests)
    assert len(arrivals_s) == FETCHES
    for number, arrival_s in enumerate(arrivals_s):
        assert arrival_s >= number / rate - ROUNDING_S
    spacing_s = fmean(later - earlier for earlier, later in pairwise(arrivals_s))
    assert spacing_s < 3 / rate
    if not trial["case"].startswith("processpool"):  # their start is late, and made up for
        assert spacing_s > 0.5 / rate
    (round_,) = trial["rounds"]
    assert (
        round_["elapsed_s"] >= round_["planned_ideal_s"] == pytest.approx(0.02 + (FETCHES - 1) / rate, 1e-3)
    )
    assert round_["gap"] is None
    found = round_["open_loop"]
    assert found["offered"] == rate
    assert FETCHES / round_["elapsed_s"] <= found["reached"] <= FETCHES / round_["planned_ideal_s"]
    assert 0 <= found["final_backlog"] <= found["backlog"] < FETCHES
    assert trial["warm_up"]["planned_ideal_s"] < 0.5  # it is no open loop
    assert "open_loop" not in trial["warm_up"]


def test_threads_event_loops_and_processes_follow_the_schedule(tmp_path: Path) -> None:
    strategies = ["threadpool_map", {"name": "asyncio_gather", "clients": ["aiohttp"]}, "processpool_map"]
    path = open_loop(tmp_path, strategies, clients=["urllib3"])
    ended = run(path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = good_trials(path)
    assert len(found) == len(strategies)
    for trial in found.values():
        assert_follows_schedule(trial)
    text = " ".join(ended.stdout.split())
    assert "open loop at 50/s" in text
    assert "p99 keeps up" in text
    assert "At 50/s" in text
    assert "was fastest" not in text


@pytest.mark.long
def test_all_kinds_of_loops_and_processes_follow_the_schedule(tmp_path: Path) -> None:
    path = open_loop(tmp_path, LOOPS, clients=["urllib3"])
    ended = run(path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = good_trials(path)
    assert len(found) == len(LOOPS)
    for trial in found.values():
        assert_follows_schedule(trial)


@pytest.mark.long
def test_one_worker_that_is_too_slow_is_behind_and_its_fetches_have_waited(tmp_path: Path) -> None:
    """With 50 ms an answer it does less than 20 a second: the last of thirty waits 1.2 s of 1.5 s."""
    path = open_loop(
        tmp_path, ["sequential"], clients=["urllib3"], profile={"latency": "50ms"}, rate=100, blocks=6
    )
    ended = run(path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    last = {trial["block"]: trial for trial in document(path)["trials"] if trial["outcome"] == "ok"}
    for trial in last.values():
        (round_,) = trial["rounds"]
        found = round_["open_loop"]
        assert 2 < found["reached"] <= 20
        # when the last one becomes due, after 290 ms, six have begun at most
        assert FETCHES - 1 - 6 <= found["final_backlog"] <= found["backlog"] <= FETCHES - 1
        assert found["late_start_p99_s"] > (FETCHES - 1) * (0.05 - 0.01)
        latency = merge_histograms([trial["latency"]])
        assert latency is not None
        assert latency.p99_s > FETCHES * 0.05 - 0.3
        assert latency.p50_s > 0.5
        assert round_["server"]["max_in_flight"] == 1
    text = " ".join(ended.stdout.split())
    if len(last) == 6:
        assert "At 100/s every case is saturated" in text


@pytest.mark.long
@pytest.mark.alone  # beside others, a stall makes two of twenty fetches wait, and nothing can be told
@pytest.mark.timeout(400)
def test_highest_rate_that_keeps_a_bound_is_found(tmp_path: Path) -> None:
    """One worker does 20 a second; at 100 a second the last of twenty waits for 0.8 s."""
    path = open_loop(
        tmp_path,
        ["sequential"],
        clients=["urllib3"],
        countries={"codes": ["BR", "CN"], "repeat": 10},
        profile={"latency": "50ms"},
        rate=None,
        rates=[10, "100/s", "200/s"],
        thresholds={"*": "p99 < 500ms"},
        blocks=8,
    )
    ended = run(path, patience_s=380)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    text = " ".join(ended.stdout.split())
    assert "With p99 < 500 ms, sequential with urllib3 keeps 10/s." in text, text
    ids = dict.fromkeys(trial["case"] for trial in document(path)["trials"])
    assert {*ids} == {f"sequential/urllib3/1/50ms/{rate}rps" for rate in (10, 100, 200)}


@pytest.mark.long
def test_target_of_the_users_is_asked_on_schedule(tmp_path: Path) -> None:
    """Its warm-up is no open loop, and nothing is known of its delays; the log is that of nginx."""
    folder = tmp_path / "nginx"
    folder.mkdir()
    with running_nginx(folder) as nginx:
        trial = measure_target(nginx, tmp_path)
    found = trial["rounds"][0]["open_loop"]
    assert trial["rounds"][0]["elapsed_s"] >= (FETCHES - 1) / RATE
    assert trial["rounds"][0]["ideal_s"] is None
    assert found["offered"] == RATE


def measure_target(nginx: Nginx, folder: Path) -> Mapping[str, Any]:
    """Measure a target, and check its log."""
    target = {"url": nginx.url, "files": ["a.bin"], "repeat": FETCHES}
    path = open_loop(
        folder, ["threadpool_map"], clients=["urllib3"], target=target, profile=None, countries=None
    )
    before = len(nginx.requests())
    ended = run(path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    times_s = [each.at_s for each in nginx.requests()[before:]][-FETCHES:]
    assert times_s[-1] - times_s[0] > 0.5 * (FETCHES - 1) / RATE
    return good_trials(path)["threadpool_map"]
