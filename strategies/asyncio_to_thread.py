"""Event loop with blocking downloads in threads: ``asyncio.to_thread``.

Choose it if the library is blocking and the rest of the program is asynchronous. The default pool has at
most 32 threads, and fewer on few cores, so it needs one of its own to have more.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from bench.api import Fetch, Job, run_strategy


def download_many(job: Job) -> list[Fetch]:
    """Run an event loop until every flag is downloaded."""
    return asyncio.run(supervise(job))


async def supervise(job: Job) -> list[Fetch]:
    """Download each flag in a thread, and wait for all of them at once."""
    # to_thread's own pool stops at min(32, cpus + 4) threads, whatever the semaphore allows.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(job.workers))
    semaphore = asyncio.Semaphore(job.workers)
    with job.client() as download_one:

        async def download_limited(country: str) -> Fetch:
            async with semaphore:
                return await asyncio.to_thread(download_one, country)

        return await asyncio.gather(*(download_limited(country) for country in job.countries))


if __name__ == "__main__":
    run_strategy(__file__)
