"""A pool of processes; tests replace the way in which they start."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from bench.api import Fetch, Job, run_strategy

METHOD = "spawn"


def fetch_one(job: Job, country: str) -> Fetch:
    """Download one flag with a client of its own."""
    with job.client() as download_one:
        return download_one(country)


def download_many(job: Job) -> list[Fetch]:
    """Download all flags in processes that were started in the way above."""
    context = multiprocessing.get_context(METHOD)
    with ProcessPoolExecutor(job.workers, mp_context=context) as executor:
        return list(executor.map(partial(fetch_one, job), job.countries))


if __name__ == "__main__":
    run_strategy(__file__)
