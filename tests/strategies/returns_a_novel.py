"""Return error details of 100 MB."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download nothing, and return long error details."""
    novel = "alas " * 20_000_000
    return [Fetch(country, 0, 0, 0, 0, "error", novel) for country in job.countries]
