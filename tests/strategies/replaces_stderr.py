"""Replace standard output and standard error by another object, and raise."""

import sys

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Replace both streams by an object that cannot be written to, and raise."""
    sys.stdout = sys.stderr = object()
    raise ValueError(f"{len(job.countries)} countries unheard of")
