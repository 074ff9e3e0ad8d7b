"""Leave seven descriptors open."""

import os

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Open the descriptors in the warm-up, and download everything."""
    if job.base_url.endswith(".0"):
        for _ in range(7):
            os.open(os.devnull, os.O_RDONLY)
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
