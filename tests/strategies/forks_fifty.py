"""Start fifty processes, half of them in new sessions, and wait for none."""

import subprocess

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Start the processes in the warm-up, and download everything."""
    if job.base_url.endswith(".0"):
        for number in range(50):
            subprocess.Popen(["sleep", "4321"], start_new_session=number % 2 == 0)
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
