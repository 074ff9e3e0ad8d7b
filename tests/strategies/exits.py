"""Call ``sys.exit``."""

import sys

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Raise SystemExit."""
    sys.exit(f"{len(job.countries)} are too many")
