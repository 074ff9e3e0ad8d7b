"""Take more workers than are allowed."""

from concurrent.futures import ThreadPoolExecutor

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Have twice as many downloads in flight."""
    with job.client() as download_one, ThreadPoolExecutor(2 * job.workers) as executor:
        return list(executor.map(download_one, job.countries))
