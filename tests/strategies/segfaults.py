"""Read an invalid address in C."""

import ctypes

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download one flag, then follow a null pointer."""
    with job.client() as download_one:
        fetches = [download_one(job.countries[0])]
    ctypes.string_at(0)
    return fetches
