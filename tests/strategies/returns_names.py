"""Return country codes instead of fetches."""

from bench.api import Job


def download_many(job: Job) -> list[str]:
    """Return the countries."""
    return list(job.countries)
