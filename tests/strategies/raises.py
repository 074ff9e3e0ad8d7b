"""Raise an exception after one flag."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download one flag, then raise."""
    with job.client() as download_one:
        download_one(job.countries[0])
    raise ValueError("no\nmore \x1b[31mflags")
