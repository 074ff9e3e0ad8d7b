"""Process pool that hands out several flags at once: ``ProcessPoolExecutor.map`` with ``chunksize``.

Choose it if there are many more items than processes and each takes about as long: a chunk costs one
message instead of one for each item. With few items, or items that differ much, some processes wait for
the last chunk.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from math import ceil
from multiprocessing.util import Finalize

from bench.api import Fetch, Job, run_strategy

CHUNKS_PER_PROCESS = 4  # as multiprocessing.Pool.map does, so that no process waits long for the last

clients = ExitStack()
get_flag: Callable[[str], Fetch]


def open_client(job: Job) -> None:
    """Open one client for all downloads of this process of the pool."""
    global get_flag  # noqa: PLW0603  an initializer cannot return anything to its process
    get_flag = clients.enter_context(job.client())
    Finalize(None, clients.close, exitpriority=0)  # a pool's processes exit without running atexit


def download_one(country: str) -> Fetch:
    """Download one flag; at module level, as other processes find the function by its name."""
    return get_flag(country)


def download_many(job: Job) -> list[Fetch]:
    """Download all flags with a pool of processes, chunk by chunk."""
    chunksize = ceil(len(job.countries) / (CHUNKS_PER_PROCESS * job.workers))
    with ProcessPoolExecutor(job.workers, initializer=open_client, initargs=(job,)) as executor:
        return list(executor.map(download_one, job.countries, chunksize=chunksize))


if __name__ == "__main__":
    run_strategy(__file__)
