"""Complete runs with connections that take a while to open, checked against the server's log."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from math import fsum
from pathlib import Path
from typing import Any

import pytest

from bench.model.results import Gap
from tests.runs import config, document, run

pytestmark = pytest.mark.e2e

LATENCY_S = 0.03
SERVICE_S = 0.005
FETCHES = 6
WORKERS = 3
OWN = """
import time
from bench.api import Fetch, Job
import urllib3

CLIENTS = None
KEPT = urllib3.PoolManager()

def download_many(job: Job) -> list[Fetch]:
    fetches = []
    for cc in job.countries:
        start_s = time.perf_counter()
        answer = KEPT.request("GET", f"{job.base_url}/flags/{cc.lower()}/{cc.lower()}.gif")
        (job.folder / f"{cc.lower()}.gif").write_bytes(answer.data)
        end_s = time.perf_counter()
        fetches.append(Fetch(cc, start_s, end_s, answer.status, len(answer.data), "ok"))
    return fetches
"""


def measured(folder: Path, strategies: Sequence[object], **changes: object) -> Mapping[str, Sequence[Any]]:
    """Run cases, and return the rounds of each, without its profile in their names."""
    profile = {"name": "p", "latency": "5ms", "connect_latency": "30ms", **changes.pop("profile", {})}  # type: ignore[dict-item]
    settings = {
        "countries": ["BR", "CN", "IN", "US", "ID", "PK"],
        "workers": WORKERS,
        "blocks": 1,
        "rounds": 3,
    }
    path = config(folder, strategies, **{**settings, **changes, "profile": profile})
    ended = run(path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = {}
    for trial in document(path)["trials"]:
        assert trial["outcome"] == "ok", trial
        found[trial["case"].replace("/p", "")] = [trial["warm_up"], *trial["rounds"]]
    return found


def check_round(timed: Mapping[str, Any], ideal_s: float, opened: int) -> None:
    """Check a round of an expected ideal against the connections that the server saw."""
    assert timed["fetches"] == {"ok": FETCHES}
    assert timed["planned_ideal_s"] == pytest.approx(ideal_s)
    assert timed["elapsed_s"] >= timed["ideal_s"] >= timed["planned_ideal_s"]
    assert timed["server"]["requests"] == FETCHES
    assert timed["server"]["opened"] == opened
    gap = timed["gap"]
    parts = fsum(gap.get(each.name, 0.0) for each in fields(Gap))
    assert parts == pytest.approx(timed["elapsed_s"] - ideal_s)
    assert gap["set_up_s"] > -1e-9


@pytest.mark.parametrize(
    ("tls", "latencies"),
    [pytest.param(False, 1, id="plain"), pytest.param(True, 2, id="tls", marks=pytest.mark.long)],
)
def test_kept_connections_pay_the_latency_once_and_others_for_each_fetch(
    tmp_path: Path, latencies: int, *, tls: bool
) -> None:
    found = measured(
        tmp_path, ["sequential", "threadpool_map"], keep_alive=[True, False], profile={"tls": tls}
    )
    connect_s = latencies * LATENCY_S
    one_s, pool_s = "sequential/urllib3/1", "threadpool_map/urllib3/3"
    for rounds, ideal_s, opened in (
        (found[one_s], connect_s + FETCHES * SERVICE_S, 1),
        (found[f"{one_s}/close"], FETCHES * (connect_s + SERVICE_S), FETCHES),
        (found[f"{pool_s}/close"], FETCHES * (connect_s + SERVICE_S) / WORKERS, FETCHES),
    ):
        for timed in rounds:
            check_round(timed, ideal_s, opened)
    for timed in found[pool_s]:
        check_round(timed, connect_s + FETCHES * SERVICE_S / WORKERS, timed["server"]["opened"])
        assert 1 <= timed["server"]["opened"] <= WORKERS
    for timed in found[f"{one_s}/close"]:
        assert timed["elapsed_s"] >= FETCHES * connect_s
    kept_s, closed_s = (
        min(timed["elapsed_s"] for timed in found[case]) for case in (one_s, f"{one_s}/close")
    )
    assert closed_s - kept_s > 0.5 * (FETCHES - 1) * connect_s  # a busy machine takes a part of it


@pytest.mark.long
def test_fetches_over_http2_share_the_latency_of_their_connection(tmp_path: Path) -> None:
    strategies = ["sequential", {"name": "asyncio_gather", "workers": WORKERS}]
    found = measured(tmp_path, strategies, clients=["httpx"], profile={"tls": True, "http2": True})
    for case, workers in (("sequential/httpx/1", 1), ("asyncio_gather/httpx/3", WORKERS)):
        for timed in found[case]:
            check_round(timed, 2 * LATENCY_S + FETCHES * SERVICE_S / workers, 1)


@pytest.mark.long
def test_strategy_that_keeps_its_connections_between_calls_beats_no_ideal(tmp_path: Path) -> None:
    """The ideal of a strategy with an HTTP library of its own has no connection in it."""
    (tmp_path / "mine.py").write_text(OWN, encoding="utf-8")
    (warm_up, *rounds), *others = measured(tmp_path, ["mine.py"], clients=None, workers=1).values()
    assert others == []
    check_round(warm_up, FETCHES * SERVICE_S, 1)
    assert warm_up["gap"]["set_up_s"] >= LATENCY_S
    for timed in rounds:
        check_round(timed, FETCHES * SERVICE_S, 0)


@pytest.mark.long
def test_faults_end_fetches_as_without_a_latency(tmp_path: Path) -> None:
    """Refused connections take no time, bad certificates a handshake; a reset costs another connection."""
    for kind, tls, outcome in (
        ("refused", False, "refused"),
        ("tls_expired", True, "tls"),
        ("reset_before_headers", False, "reset"),
    ):
        folder = tmp_path / kind
        folder.mkdir()
        (rounds,) = measured(folder, ["sequential"], profile={"tls": tls, "faults": kind}).values()
        for timed in rounds:
            assert timed["fetches"] == {outcome: FETCHES}
            assert timed["elapsed_s"] >= timed["planned_ideal_s"]
            if kind != "refused":
                assert timed["elapsed_s"] >= FETCHES * (2 if tls else 1) * LATENCY_S
