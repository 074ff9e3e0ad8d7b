"""Download one country twice, and one that was not requested."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download one country twice, and ZZ."""
    with job.client() as download_one:
        return [download_one(country) for country in (*job.countries, job.countries[0], "ZZ")]
