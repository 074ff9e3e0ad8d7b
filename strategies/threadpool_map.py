"""Thread pool, results in the order asked: ``ThreadPoolExecutor.map``."""

from concurrent.futures import ThreadPoolExecutor

from bench.api import Fetch, Job, run_strategy


def download_many(job: Job) -> list[Fetch]:
    """Download all flags with a pool of threads."""
    with job.client() as download_one, ThreadPoolExecutor(job.workers) as executor:
        return list(executor.map(download_one, job.countries))


if __name__ == "__main__":
    run_strategy(__file__)
