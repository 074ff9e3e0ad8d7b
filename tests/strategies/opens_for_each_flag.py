"""Open a client for each flag, in threads: the commonest mistake there is."""

from concurrent.futures import ThreadPoolExecutor

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download each flag with a client of its own."""

    def download_one(country: str) -> Fetch:
        with job.client() as download_with_client:
            return download_with_client(country)

    with ThreadPoolExecutor(job.workers) as executor:
        return list(executor.map(download_one, job.countries))
