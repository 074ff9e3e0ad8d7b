"""Return NaN as times."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download everything, and set the start times to NaN."""
    with job.client() as download_one:
        return [download_one(country)._replace(start_s=float("nan")) for country in job.countries]
