"""Hang forever."""

import threading

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Wait forever."""
    print("waiting", flush=True)  # noqa: T201  a strategy may print
    threading.Event().wait()
    return [Fetch(country, 0, 0, 0, 0, "ok") for country in job.countries]
