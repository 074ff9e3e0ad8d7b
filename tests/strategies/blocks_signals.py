"""Block all signals that can be blocked, and hang."""

import signal
import threading

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Block all signals, then wait forever."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    threading.Event().wait()
    return [Fetch(country, 0, 0, 0, 0, "ok") for country in job.countries]
