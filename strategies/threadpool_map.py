"""Thread pool, results in the order asked: ``ThreadPoolExecutor.map``.

Choose it first: it makes any blocking code concurrent with one more line, and suits tens of downloads at
once. The first exception ends the iteration, so functions should return their errors.
"""

from concurrent.futures import ThreadPoolExecutor

from bench.api import Fetch, Job, run_strategy


def download_many(job: Job) -> list[Fetch]:
    """Download all flags with a pool of threads."""
    with job.client() as download_one, ThreadPoolExecutor(job.workers) as executor:
        return list(executor.map(download_one, job.countries))


if __name__ == "__main__":
    run_strategy(__file__)
