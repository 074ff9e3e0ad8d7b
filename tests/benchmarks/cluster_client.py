"""The client of a cluster, in a process of its own, and what its batches cost it.

``python -m tests.benchmarks.cluster_client ADDRESS FOLDER`` reads questions, one a line as JSON, and
prints an answer to each.
"""

import json
import os
import sys
import time
from pathlib import Path
from random import getrandbits, random
from typing import Any, NamedTuple

from distributed import get_client

from bench.api import Fetch, Job
from bench.api.batches import receive, send
from bench.api.cluster import Batch
from bench.api.job import GATHER, ClusterSettings
from bench.model.flags import all_flags
from strategies import dask

BODY_BYTES = 10_000


class Spent(NamedTuple):
    """Seconds of a round.

    Attributes:
        elapsed_s: of the clock.
        submit_s: processor time of the thread that packs and submits.
        client_s: processor time of this process, that thread included.
    """

    elapsed_s: float
    submit_s: float
    client_s: float


def answer_batch(job: Job) -> Batch:
    """Return what a machine would return, without a download."""
    fetches = [
        Fetch(country, 0.0, random(), 200, BODY_BYTES, "ok", "", random(), getrandbits(32))
        for country in job.countries
    ]
    names = {f"{country.lower()}.gif" for country in job.countries} if job.option == GATHER else ()
    return Batch(fetches, {name: os.urandom(BODY_BYTES) for name in names})


def send_batches(job: Job, batches: int) -> Spent:
    """Send batches to the machines in turn, as the strategy does, each with the countries of the job."""
    cluster = get_client()
    machines = sorted(cluster.nthreads())
    began_s, submit_s, client_s = time.perf_counter(), time.thread_time(), time.process_time()
    with cluster.get_executor(pure=False, allow_other_workers=True) as executor:
        futures = [
            executor.submit(send(answer_batch, job), workers=[machines[number % len(machines)]])
            for number in range(batches)
        ]
        submit_s = time.thread_time() - submit_s
        for future in futures:
            receive(job, future.result())
    return Spent(time.perf_counter() - began_s, submit_s, time.process_time() - client_s)


def download(job: Job, largest_batch: int) -> Spent:
    """Download with the strategy itself."""
    dask.LARGEST_BATCH = largest_batch
    began_s, client_s = time.perf_counter(), time.process_time()
    fetches = dask.download_many(job)
    assert {fetch.outcome for fetch in fetches} == {"ok"}
    assert len(fetches) == len(job.countries)
    return Spent(time.perf_counter() - began_s, 0.0, time.process_time() - client_s)


def download_here(job: Job) -> Spent:
    """Download a batch in this process, as a machine does."""
    began_s, client_s = time.perf_counter(), time.process_time()
    batch = dask.download_batch(job)
    assert {fetch.outcome for fetch in batch.fetches} == {"ok"}
    return Spent(time.perf_counter() - began_s, 0.0, time.process_time() - client_s)


def answer(asked: dict[str, Any], settings: ClusterSettings, folder: Path) -> Spent:
    """Send batches without downloads, download with the strategy, or download a batch here."""
    codes = tuple(all_flags())
    countries = (codes * (1 + asked["fetches"] // len(codes)))[: asked["fetches"]]
    job = Job(
        countries,
        asked.get("workers", 1),
        asked.get("base_url", ""),
        folder,
        "http_client",
        option=asked.get("option", ""),
        cluster=settings,
    )
    if "batches" in asked:
        return send_batches(job, asked["batches"])
    return download(job, asked["largest_batch"]) if "largest_batch" in asked else download_here(job)


if __name__ == "__main__":
    settings = ClusterSettings(sys.argv[1])
    folder = Path(sys.argv[2])
    began_s = time.perf_counter()
    with dask.set_up(Job((), 1, "", folder, "http_client", cluster=settings)):
        print(json.dumps(time.perf_counter() - began_s), flush=True)
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line), settings, folder)._asdict()), flush=True)
