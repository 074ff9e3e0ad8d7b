"""Process pool that hands out several flags at once: ``ProcessPoolExecutor.map`` with ``chunksize``.

Choose it if there are many more items than processes and each takes about as long: a chunk costs one
message instead of one for each item. With few items, or items that differ much, some processes wait for the
last chunk.
"""

from concurrent.futures import ProcessPoolExecutor
from math import ceil
from multiprocessing import get_context

from bench.api import Fetch, Job, run_strategy
from strategies.processpool_map import download_one, open_client

OPTIONS = ("fork", "forkserver", "spawn")
CLIENTS = "sync"  # opened by open_client in each process

CHUNKS_PER_PROCESS = 4  # as multiprocessing.Pool.map does, so that no process waits long for the last


def download_many(job: Job) -> list[Fetch]:
    """Download all flags with a pool of processes, chunk by chunk."""
    chunksize = ceil(len(job.countries) / (CHUNKS_PER_PROCESS * job.workers))
    context = get_context(job.option or None)  # without an option, the platform's default
    with ProcessPoolExecutor(job.workers, context, initializer=open_client, initargs=(job,)) as executor:
        return list(executor.map(download_one, job.countries, chunksize=chunksize))


if __name__ == "__main__":
    run_strategy(__file__)
