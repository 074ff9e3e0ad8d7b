"""Die of SIGKILL in the middle of the work."""

import os
import signal

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download one flag, then die."""
    with job.client() as download_one:
        fetches = [download_one(job.countries[0])]
        os.kill(os.getpid(), signal.SIGKILL)
    return fetches
