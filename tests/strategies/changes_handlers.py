"""Ignore every signal that can be ignored."""

import signal

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Ignore all signals, and download everything."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
