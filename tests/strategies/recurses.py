"""Recurse forever in Python."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Call this function again."""
    return download_many(job)
