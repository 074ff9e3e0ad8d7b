"""Use only half of the workers."""

from concurrent.futures import ThreadPoolExecutor

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Use a pool of half the allowed size."""
    with job.client() as download_one, ThreadPoolExecutor(job.workers // 2) as executor:
        return list(executor.map(download_one, job.countries))
