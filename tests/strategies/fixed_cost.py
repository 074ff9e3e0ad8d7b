"""Threads that share a call with ten milliseconds of preparation, whatever the number of flags."""

import time
from concurrent.futures import ThreadPoolExecutor

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Prepare, and let threads fetch the countries."""
    time.sleep(0.01)
    with job.client() as download_one, ThreadPoolExecutor(job.workers) as executor:
        return list(executor.map(download_one, job.countries))
