"""Close standard output and its descriptor."""

import os
import sys

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Close standard output in the warm-up, and download everything."""
    if job.base_url.endswith(".0"):
        sys.stdout.close()
        os.close(1)
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
