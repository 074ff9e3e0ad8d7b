"""Change process-wide settings: garbage collection, locale, time zone, umask, limits, the clock."""

import gc
import locale
import os
import resource
import sys
import time

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Change the settings, and download everything."""
    gc.disable()
    locale.setlocale(locale.LC_ALL, "C")
    os.environ["TZ"] = "Pacific/Kiritimati"
    time.tzset()
    time.perf_counter = time.monotonic = lambda: 0.0
    os.umask(0o077)
    os.nice(5)
    sys.setswitchinterval(1.0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
