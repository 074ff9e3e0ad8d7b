"""Forget to return."""

from bench.api import Job


def download_many(job: Job) -> None:
    """Download everything and say nothing."""
    with job.client() as download_one:
        for country in job.countries:
            download_one(country)
