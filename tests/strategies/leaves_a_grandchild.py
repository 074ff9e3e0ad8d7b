"""Leave a process running in a new session."""

import subprocess

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Start a sleeping process in the warm-up, and download everything."""
    if job.base_url.endswith(".0"):
        subprocess.Popen(["sleep", "4321"], start_new_session=True)
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
