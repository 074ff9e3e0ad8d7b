"""All that a strategy or a client may import: the job, and what becomes of each fetch.

A strategy is one file with one function, ``download_many(job: Job) -> list[Fetch]``. It opens
``job.client()`` (or ``job.async_client()``), which yields ``download_one(country)``: get the flag,
save it under the trial's own folder, say what happened. Everything else about it, the order, the
threads, the event loop, is the strategy's own and is what is timed.

A client is one file in ``strategies/clients`` with ``open_client(settings)`` for threads,
``open_async_client(settings)`` for event loops, or both; each yields ``get(url) -> Answer``.

Every worker pays for this import in its cold start. Hence named tuples, and no ``pathlib`` of its
own: with ``dataclasses`` they would make it three times as slow.
"""

from bench.api.client import (
    LARGEST_BYTES,
    Answer,
    AsyncGet,
    ClientSettings,
    Get,
    Headers,
    TooLargeError,
    collect,
    collect_async,
)
from bench.api.fetch import Fetch, Future, Watcher
from bench.api.job import LOOP_WATCHERS, Job
from bench.api.running import run_strategy

__all__ = [
    "LARGEST_BYTES",
    "LOOP_WATCHERS",
    "Answer",
    "AsyncGet",
    "ClientSettings",
    "Fetch",
    "Future",
    "Get",
    "Headers",
    "Job",
    "TooLargeError",
    "Watcher",
    "collect",
    "collect_async",
    "run_strategy",
]
