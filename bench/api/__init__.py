"""Everything that a strategy or a client may import: the job, and the fetches that it returns.

A strategy is one file with one function, ``download_many(job: Job) -> list[Fetch]``. It opens
``job.client()`` (or ``job.async_client()``), which yields ``download_one(country)``: get the flag, save it
in the round's folder, return a ``Fetch``. The rest is up to the strategy, and is timed: the order, the
threads, the event loop.

A client is one file in ``strategies/clients`` with ``open_client(settings)`` for threads,
``open_async_client(settings)`` for event loops, or both; each yields ``get(url) -> Answer``. ``PerThread``
opens a part of it for each thread, and notes the time of that.

Every worker pays for this import in its cold start. Hence named tuples, and neither ``pathlib`` nor
``dataclasses``, which would make it take three times as long.
"""

import os
import sys

from bench.api.bodies import Body, BodySink, StreamedBody, TooLargeError
from bench.api.client import (
    LARGEST_BYTES,
    Answer,
    AsyncGet,
    ClientSettings,
    Get,
    HeaderLines,
    Headers,
    JoinedHeaders,
    collect,
    collect_async,
    parse_head,
)
from bench.api.fetch import Fetch, Future, Watcher
from bench.api.job import LOOP_WATCHERS, Job
from bench.api.opening import PerThread

__all__ = [
    "LARGEST_BYTES",
    "LOOP_WATCHERS",
    "Answer",
    "AsyncGet",
    "Body",
    "BodySink",
    "ClientSettings",
    "Fetch",
    "Future",
    "Get",
    "HeaderLines",
    "Headers",
    "Job",
    "JoinedHeaders",
    "PerThread",
    "StreamedBody",
    "TooLargeError",
    "Watcher",
    "collect",
    "collect_async",
    "parse_head",
    "run_strategy",
]


def run_strategy(file: str) -> None:
    """Replace this process by ``bench download`` with a strategy file, for its ``__main__`` block."""
    command = [sys.executable, "-m", "bench", "download", "--strategy", file, *sys.argv[1:]]
    os.execv(sys.executable, command)  # noqa: S606  no shell is wanted
