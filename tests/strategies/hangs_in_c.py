"""Hang in C code that keeps the GIL."""

import ctypes

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Sleep for an hour while holding the GIL."""
    print("waiting", flush=True)  # noqa: T201  a strategy may print
    ctypes.PyDLL(None).sleep(3600)
    return [Fetch(country, 0, 0, 0, 0, "ok") for country in job.countries]
