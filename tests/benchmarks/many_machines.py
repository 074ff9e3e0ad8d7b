"""Many workers of dask in one process, each with a thread and connections of its own.

``python -m tests.benchmarks.many_machines ADDRESS COUNT FOLDER`` prints a line
once all are connected, and works until it is killed.
"""

import asyncio
import sys

import dask
from distributed import Worker

_QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1h",  # else each looks at its event loop 50 times a second
    "distributed.admin.system-monitor.interval": "1h",
}


async def run(address: str, count: int, folder: str) -> None:
    """Connect so many workers to a scheduler."""
    workers = [
        Worker(address, nthreads=1, local_directory=folder, dashboard=False, memory_limit=0)
        for _ in range(count)
    ]
    await asyncio.gather(*workers)
    print("connected", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with dask.config.set(_QUIET):
        asyncio.run(run(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
