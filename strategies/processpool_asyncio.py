"""Processes that each run an event loop: ``ProcessPoolExecutor`` and ``asyncio.run``.

Choose it for more downloads than one core can handle, since an event loop keeps to one. Each process has
its share of the flags and of the connections, and starting it costs as much as many downloads.
"""

import asyncio
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import cpu_count, get_context

from bench.api import Fetch, Job, run_strategy
from strategies.asyncio_gather import supervise

OPTIONS = ("fork", "forkserver", "spawn")
CLIENTS = "async"  # opened by supervise in each process


def download_many(job: Job) -> list[Fetch]:
    """Give each process its share of the flags, and join what they return."""
    shares = share(job, min(cpu_count(), job.workers))
    with ProcessPoolExecutor(len(shares), get_context(job.option or None)) as executor:
        return [fetch for fetches in executor.map(download_share, shares) for fetch in fetches]


def share(job: Job, processes: int) -> list[Job]:
    """Divide the flags and the workers of a job evenly."""
    workers, rest = divmod(job.workers, processes)
    return [
        job._replace(countries=job.countries[place::processes], workers=workers + (place < rest))
        for place in range(processes)
    ]


def download_share(job: Job) -> list[Fetch]:
    """Run an event loop in this process until its flags are downloaded."""
    return asyncio.run(supervise(job))


if __name__ == "__main__":
    run_strategy(__file__)
