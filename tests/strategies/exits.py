"""Leave by ``sys.exit``."""

import sys

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Ask the interpreter to end."""
    sys.exit(f"{len(job.countries)} are too many")
