"""Return None."""

from bench.api import Job


def download_many(job: Job) -> None:
    """Download everything, and return None."""
    with job.client() as download_one:
        for country in job.countries:
            download_one(country)
