"""Use more workers than allowed."""

from concurrent.futures import ThreadPoolExecutor

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Use twice as many threads as allowed."""
    with job.client() as download_one, ThreadPoolExecutor(2 * job.workers) as executor:
        return list(executor.map(download_one, job.countries))
