"""Close standard output and standard error, and raise."""

import os

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Close descriptors 1 and 2, and raise."""
    os.close(1)
    os.close(2)
    raise ValueError(f"{len(job.countries)} countries unheard of")
