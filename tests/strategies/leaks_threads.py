"""Leave three threads running."""

import threading

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Start the threads in the warm-up, and download everything."""
    if job.base_url.endswith(".0"):
        for _ in range(3):
            threading.Thread(target=threading.Event().wait).start()
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
