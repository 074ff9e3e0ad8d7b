"""Return names rather than fetches."""

from bench.api import Job


def download_many(job: Job) -> list[str]:
    """Return a list, but of the wrong thing."""
    return list(job.countries)
