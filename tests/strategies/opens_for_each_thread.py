"""Open a client for each thread of a pool."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download each flag with the client of its thread."""
    local: Any = threading.local()
    all_started = threading.Barrier(
        job.workers
    )  # else a thread that is early may leave the last one nothing to do
    with ExitStack() as clients:

        def open_client() -> None:
            all_started.wait()
            local.download_one = clients.enter_context(job.client())

        def download_one(country: str) -> Fetch:
            fetch: Fetch = local.download_one(country)
            return fetch

        with ThreadPoolExecutor(job.workers, initializer=open_client) as executor:
            return list(executor.map(download_one, job.countries))
