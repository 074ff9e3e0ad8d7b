"""Recurse in C until the stack overflows."""

import ctypes

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download one flag, then have the C library compile an expression of a million parentheses."""
    with job.client() as download_one:
        fetches = [download_one(job.countries[0])]
    ctypes.CDLL(None).regcomp(ctypes.create_string_buffer(4096), b"(" * 1_000_000, 1)
    return fetches
