"""Leave out one country."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download all but the first."""
    with job.client() as download_one:
        return [download_one(country) for country in job.countries[1:]]
