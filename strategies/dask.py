"""Machines of a cluster, each with a share of the flags: ``submit`` of dask's executor.

Choose it if one machine's network or processor is too small for the work. Each batch costs milliseconds on
its way, so it takes thousands of downloads to pay, or slow ones. Without a scheduler, it starts a cluster.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

from bench.api import Fetch, Job, run_strategy

if __name__ == "__main__":
    run_strategy(__file__)  # before dask is imported, as this file would be taken for it

from distributed import Client, get_client

from bench.api.batches import receive, send
from bench.api.cluster import Batch, on_this_machine, open_cluster, opened_machines, pack
from strategies.processpool_asyncio import share

OPTIONS = ("gather",)  # send the bytes back; without it, they stay where they were fetched
CLIENTS = "sync"  # opened by download_batch on each machine
CLUSTER = True

LARGEST_BATCH = 1_000


def set_up(job: Job) -> AbstractContextManager[Client]:
    """Connect to the cluster, or start one; that is not timed."""
    return open_cluster(job, __name__)


def download_many(job: Job) -> list[Fetch]:
    """Send each machine its batches, and join what they return."""
    chosen = opened_machines()[: job.workers]
    # pure is the default, and would have a second round answered from memory
    with get_client().get_executor(pure=False, allow_other_workers=True) as executor:
        futures = [
            executor.submit(send(download_batch, batch), workers=[machine])
            for machine, machine_job in zip(chosen, share(job, len(chosen)), strict=True)
            for batch in split(machine_job)
        ]
        return [fetch for future in futures for fetch in receive(job, future.result())]


def split(job: Job) -> Iterator[Job]:
    """Divide a share into batches, so that no message becomes too large."""
    for first in range(0, len(job.countries), LARGEST_BATCH):
        yield job._replace(countries=job.countries[first : first + LARGEST_BATCH])


def download_batch(job: Job) -> Batch:
    """Download a batch with the threads of this machine."""
    with (
        on_this_machine(job) as here,
        here.client() as download_one,
        ThreadPoolExecutor(here.workers) as executor,
    ):
        return pack(here, executor.map(download_one, here.countries))
