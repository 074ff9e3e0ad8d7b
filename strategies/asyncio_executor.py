"""Event loop with blocking downloads in a pool of threads: ``loop.run_in_executor``.

Choose it if the library is blocking and the program has an event loop anyway. The pool limits how many
downloads run at once, so no semaphore is needed, as it is with ``to_thread``.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from bench.api import Fetch, Job, run_strategy


def download_many(job: Job) -> list[Fetch]:
    """Run an event loop until every flag is downloaded."""
    return asyncio.run(supervise(job))


async def supervise(job: Job) -> list[Fetch]:
    """Hand every download to the pool, and wait for all of them."""
    loop = asyncio.get_running_loop()
    with job.client() as download_one, ThreadPoolExecutor(job.workers) as executor:
        futures = [
            job.watch(country, loop.run_in_executor(executor, download_one, country))
            for country in job.countries
        ]
        return await asyncio.gather(*futures)


if __name__ == "__main__":
    run_strategy(__file__)
