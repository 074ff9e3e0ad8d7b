"""Download one flag, then exit with status 0."""

import os

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download one flag, then end the process with status 0."""
    with job.client() as download_one:
        download_one(job.countries[0])
    os._exit(0)
