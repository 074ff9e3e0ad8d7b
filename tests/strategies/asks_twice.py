"""Download everything twice and tell of it once."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Do more than was asked."""
    with job.client() as download_one:
        for country in job.countries:
            download_one(country)
        return [download_one(country) for country in job.countries]
