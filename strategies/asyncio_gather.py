"""Event loop, results in the order asked: ``asyncio.gather`` with a semaphore.

Choose it for hundreds or thousands of downloads at once, where a thread for each would cost too much
memory. All code that waits must be asynchronous, the HTTP client first of all.
"""

import asyncio

from bench.api import Fetch, Job, run_strategy


def download_many(job: Job) -> list[Fetch]:
    """Run an event loop until every flag is downloaded."""
    return asyncio.run(supervise(job))


async def supervise(job: Job) -> list[Fetch]:
    """Schedule a task for each flag, and wait for all of them at once."""
    semaphore = asyncio.Semaphore(job.workers)
    async with job.async_client() as download_one:

        async def download_limited(country: str) -> Fetch:
            async with semaphore:
                return await download_one(country)

        tasks = [
            job.watch(country, asyncio.create_task(download_limited(country))) for country in job.countries
        ]
        return await asyncio.gather(*tasks)


if __name__ == "__main__":
    run_strategy(__file__)
