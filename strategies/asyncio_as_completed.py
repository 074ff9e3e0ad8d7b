"""Event loop, results as they complete: ``asyncio.as_completed`` with a semaphore.

Choose it to show progress, or to go on with each answer while others are on their way. The tasks that it
yields are not those that were passed, so each result must say what it belongs to.
"""

import asyncio

from bench.api import Fetch, Job, run_strategy


def download_many(job: Job) -> list[Fetch]:
    """Run an event loop until every flag is downloaded."""
    return asyncio.run(supervise(job))


async def supervise(job: Job) -> list[Fetch]:
    """Schedule a task for each flag, and collect the results as they complete."""
    semaphore = asyncio.Semaphore(job.workers)
    async with job.async_client() as download_one:

        async def download_limited(country: str) -> Fetch:
            async with semaphore:
                return await download_one(country)

        tasks = [
            job.watch(country, asyncio.create_task(download_limited(country))) for country in job.countries
        ]
        return [await task for task in asyncio.as_completed(tasks)]


if __name__ == "__main__":
    run_strategy(__file__)
