"""Ignore SIGTERM and hang."""

import signal
import threading

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Ignore SIGTERM, then wait forever."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Event().wait()
    return [Fetch(country, 0, 0, 0, 0, "ok") for country in job.countries]
