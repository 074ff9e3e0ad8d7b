"""Flags are downloaded on the machines of a cluster of dask: one that is started here, and another one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.model.latency_histogram import merge_histograms
from tests import runs
from tests.cluster_runs import trials
from tests.clusters import Cluster, running_cluster

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run a cluster of two workers that other processes started."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def test_flags_of_an_embedded_cluster_are_verified_where_they_were_fetched(tmp_path: Path) -> None:
    """Two rounds and a warm-up: the server saw each flag three times, so nothing came from memory."""
    path = runs.config(tmp_path, ["dask"], blocks=1, rounds=2)
    ended = runs.run(path)
    assert ended.returncode == 0, ended.stderr
    (trial,) = trials(path)["dask/urllib3/3/5ms"]
    assert trial["outcome"] == "ok"
    for measured in (trial["warm_up"], *trial["rounds"]):
        assert (measured["fetches"], measured["verified"]) == ({"ok": 3}, 3)
        assert measured["server"]["requests"] == 3
    assert set(trial["leak"].values()) == {0}
    for timed in trial["rounds"]:
        gap = timed["cluster"]
        parts = [gap["scheduling_s"], gap["packing_s"], gap["network_s"], gap["client_s"]]
        assert min(parts) > 0
        assert sum(parts) == pytest.approx(timed["elapsed_s"] - timed["planned_ideal_s"])
        assert 1_000 < gap["sent_bytes"] < 10_000


@pytest.mark.long
def test_gathered_flags_are_saved_here(tmp_path: Path) -> None:
    path = runs.config(tmp_path, ["dask+gather"], blocks=1, rounds=2)
    ended = runs.run(path)
    assert ended.returncode == 0, ended.stderr
    (trial,) = trials(path)["dask+gather/urllib3/3/5ms"]
    assert trial["outcome"] == "ok"
    assert {each["verified"] for each in (trial["warm_up"], *trial["rounds"])} == {3}


@pytest.mark.long
def test_another_cluster_sends_durations_and_no_times(cluster: Cluster, tmp_path: Path) -> None:
    """What its clock says is worth nothing here, so columns that need times are empty."""
    path = runs.config(tmp_path, ["dask"], blocks=1, scheduler=["embedded", cluster.address])
    ended = runs.run(path)
    assert ended.returncode == 0, ended.stderr
    found = trials(path)
    place = cluster.address.removeprefix("tcp://")
    assert found.keys() == {"dask/urllib3/3/5ms", f"dask/urllib3/3/5ms/{place}"}
    (embedded,), (remote,) = found["dask/urllib3/3/5ms"], found[f"dask/urllib3/3/5ms/{place}"]
    assert {embedded["outcome"], remote["outcome"]} == {"ok"}
    assert embedded["rounds"][0]["gap"] is not None
    assert remote["rounds"][0]["gap"] is None
    latency = merge_histograms([remote["latency"]])
    assert latency is not None
    assert latency.fetches == 3 * len(remote["rounds"])
    machines = runs.document(path)["environment"]["clusters"][cluster.address]
    assert sorted(each["threads"] for each in machines) == [0, 1, 1]
