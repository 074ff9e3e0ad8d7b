"""Claims to use all of its workers, and uses half of them."""

from concurrent.futures import ThreadPoolExecutor

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Have a pool that is half as large as it should be."""
    with job.client() as download_one, ThreadPoolExecutor(job.workers // 2) as executor:
        return list(executor.map(download_one, job.countries))
