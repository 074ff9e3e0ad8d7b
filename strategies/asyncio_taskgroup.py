"""Event loop, structured: ``asyncio.TaskGroup`` with a semaphore.

Choose it in new code: if one task fails, the group cancels the others and waits for them, so that none is
left behind. ``gather`` lets them run on.
"""

import asyncio

from bench.api import Fetch, Job, run_strategy


def download_many(job: Job) -> list[Fetch]:
    """Run an event loop until every flag is downloaded."""
    return asyncio.run(supervise(job))


async def supervise(job: Job) -> list[Fetch]:
    """Start a task for each flag in a group, which waits for all of them."""
    semaphore = asyncio.Semaphore(job.workers)
    async with job.async_client() as download_one:

        async def download_limited(country: str) -> Fetch:
            async with semaphore:
                return await download_one(country)

        async with asyncio.TaskGroup() as group:
            tasks = [
                job.watch(country, group.create_task(download_limited(country))) for country in job.countries
            ]
        return [task.result() for task in tasks]


if __name__ == "__main__":
    run_strategy(__file__)
