"""Threads, answers as they come: ``executor.submit`` and ``futures.as_completed``."""

from concurrent.futures import ThreadPoolExecutor, as_completed

from bench.api import Fetch, Job, run_strategy


def download_many(job: Job) -> list[Fetch]:
    """Schedule a future for each flag, and take the results in the order they are done."""
    with job.client() as download_one, ThreadPoolExecutor(job.workers) as executor:
        to_do = [job.watch(country, executor.submit(download_one, country)) for country in job.countries]
        return [future.result() for future in as_completed(to_do)]


if __name__ == "__main__":
    run_strategy(__file__)
