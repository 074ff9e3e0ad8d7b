"""Recurse without end."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Leave the work to itself."""
    return download_many(job)
