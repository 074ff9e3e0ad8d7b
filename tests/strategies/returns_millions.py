"""Return ten million fetches."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download one flag, and return its fetch ten million times."""
    with job.client() as download_one:
        return [download_one(job.countries[0])] * 10_000_000
