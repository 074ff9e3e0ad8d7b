"""Measure what a cluster costs with many downloads: time beside a pool of processes, and memory.

On a quiet machine: ``make benchmarks``.
"""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any, Final

import pytest

from bench.model.cases import Fixed, Profile
from bench.model.server_settings import ServerSettings
from bench.system.paths import import_path
from tests.clusters import Machine, running_cluster
from tests.server_process import running_server

pytestmark = pytest.mark.timeout(1_200)

MACHINES: Final = 4
WORKERS: Final = 20
SIZES: Final = (10_000, 50_000, 100_000)
LARGEST_GROWTH_MB: Final = 120
"""Of the client from 10,000 to 100,000 fetches, of each of which it returns a record."""
JOB: Final = """
import json, resource, sys, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from bench.api import Job
from bench.api.cluster import ClusterSettings
from bench.model.flags import all_flags
from strategies import dask
from strategies.processpool_asyncio import share
kind, scheduler, base_url, folder, fetches, machines, workers = sys.argv[1:]
codes = tuple(all_flags())
countries = (codes * (1 + int(fetches) // len(codes)))[:int(fetches)]
job = Job(countries, int(workers), base_url, Path(folder), "http_client", cluster=ClusterSettings(scheduler))

def pooled():
    shares = [batch for each in share(job, int(machines)) for batch in dask.split(each)]
    with ProcessPoolExecutor(int(machines)) as executor:
        return [fetch for batch in executor.map(dask.download_batch, shares) for fetch in batch.fetches]

def timed(download):
    began_s = time.perf_counter()
    fetches = download()
    elapsed_s = time.perf_counter() - began_s
    assert {fetch.outcome for fetch in fetches} == {"ok"} and len(fetches) == len(countries)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"elapsed_s": elapsed_s, "client_mb": peak_mb}))

if __name__ == "__main__":
    if kind == "pool":
        timed(pooled)
    else:
        with dask.set_up(job):
            timed(lambda: dask.download_many(job))
"""


def test_a_hundred_thousand_fetches_take_little_more_than_a_pool_of_processes(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four workers of a cluster and four processes do the same; the scheduler and the client stay small."""
    (script := tmp_path / "job.py").write_text(JOB, encoding="utf-8")
    with (
        running_server(ServerSettings(Profile("own", Fixed(0.0)))) as server,
        running_cluster(tmp_path, workers=[Machine()] * MACHINES) as cluster,
    ):

        def done(kind: str, fetches: int) -> dict[str, float]:
            words = (kind, cluster.address, server.base_url, folder, fetches, MACHINES, WORKERS)
            printed = subprocess.run(
                [sys.executable, script, *map(str, words)],
                env={"PYTHONPATH": ":".join(import_path())},
                capture_output=True,
                text=True,
                check=False,
            )
            assert printed.returncode == 0, printed.stderr[-2_000:]
            found: dict[str, float] = json.loads(printed.stdout)
            return found

        done("cluster", 1_000)
        rows: list[dict[str, Any]] = []
        for fetches in SIZES:
            ours = done("cluster", fetches)
            peaks = [_peak_mb(each.pid) for each in (cluster.scheduler, *cluster.workers)]
            rows.append({"fetches": fetches, **ours, "scheduler_mb": peaks[0], "worker_mb": max(peaks[1:])})
        pairs = [(done("cluster", SIZES[-1]), done("pool", SIZES[-1])) for _ in range(3)]
    ratios = sorted(ours["elapsed_s"] / pool["elapsed_s"] for ours, pool in pairs)
    with capsys.disabled():
        print()
        for row in rows:
            print(
                f"{row['fetches']:,} fetches: {row['elapsed_s']:.1f} s, client {row['client_mb']:.0f} MB, "
                f"scheduler {row['scheduler_mb']:.0f} MB, largest worker {row['worker_mb']:.0f} MB"
            )
        print(
            f"{SIZES[-1]:,} fetches: cluster / pool of processes = {median(ratios):.2f} "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f}, {len(ratios)} pairs); "
            f"pool {median(pool['elapsed_s'] for _, pool in pairs):.1f} s"
        )
    assert median(ratios) <= 1.5
    assert rows[-1]["scheduler_mb"] - rows[0]["scheduler_mb"] < 10
    assert rows[-1]["client_mb"] - rows[0]["client_mb"] < LARGEST_GROWTH_MB


def _peak_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no peak of process {pid}")
