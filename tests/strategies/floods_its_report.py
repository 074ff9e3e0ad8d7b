"""Write into the worker's report without end."""

import os
import sys

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Write a line that never ends."""
    frame = sys._getframe()  # noqa: SLF001  what this one is for
    while frame.f_back is not None and "events" not in frame.f_locals:
        frame = frame.f_back
    while job.countries:
        os.write(frame.f_locals["events"].descriptor, b"x" * (1 << 20))
    return []
