"""Close what it could complain to, and fail."""

import os

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Close standard output and standard error beneath the interpreter."""
    os.close(1)
    os.close(2)
    raise ValueError(f"{len(job.countries)} countries unheard of")
