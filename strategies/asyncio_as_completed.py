"""An event loop, answers as they come: ``asyncio.as_completed`` behind a semaphore."""

import asyncio

from bench.api import Fetch, Job, run_strategy


def download_many(job: Job) -> list[Fetch]:
    """Run an event loop until every flag is there."""
    return asyncio.run(supervise(job))


async def supervise(job: Job) -> list[Fetch]:
    """Schedule a task for each flag, and take the results in the order they are done."""
    semaphore = asyncio.Semaphore(job.workers)
    async with job.async_client() as download_one:

        async def download_in_turn(country: str) -> Fetch:
            async with semaphore:
                return await download_one(country)

        to_do = [
            job.watch(country, asyncio.create_task(download_in_turn(country))) for country in job.countries
        ]
        return [await task for task in asyncio.as_completed(to_do)]


if __name__ == "__main__":
    run_strategy(__file__)
