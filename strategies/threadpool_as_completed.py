"""Thread pool, results as they complete: ``executor.submit`` and ``futures.as_completed``.

Choose it to show progress, to handle each error by itself, or to call different functions in one pool. It
keeps a future for each download, which is why it is a little longer than ``map``.
"""

from concurrent.futures import ThreadPoolExecutor, as_completed

from bench.api import Fetch, Job, run_strategy


def download_many(job: Job) -> list[Fetch]:
    """Schedule a future for each flag, and collect the results as they complete."""
    with job.client() as download_one, ThreadPoolExecutor(job.workers) as executor:
        futures = [job.watch(country, executor.submit(download_one, country)) for country in job.countries]
        return [future.result() for future in as_completed(futures)]


if __name__ == "__main__":
    run_strategy(__file__)
