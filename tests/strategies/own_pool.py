"""Start processes from a file outside the package, print, and leave a thread running."""

import threading
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from bench.api import Fetch, Job


def download_alone(job: Job, country: str) -> Fetch:
    """Download one flag with a client of its own."""
    with job.client() as download_one:
        return download_one(country)


def download_many(job: Job) -> list[Fetch]:
    """Download with two processes, and leave a thread waiting forever."""
    print("hello from the strategy")  # noqa: T201  what this one is for
    threading.Thread(target=threading.Event().wait).start()
    with ProcessPoolExecutor(2) as executor:
        return list(executor.map(partial(download_alone, job), job.countries))
