"""Open a client for each flag, in tasks of an event loop."""

import asyncio

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Run an event loop until every flag is downloaded."""
    return asyncio.run(supervise(job))


async def supervise(job: Job) -> list[Fetch]:
    """Download each flag with a client of its own."""
    semaphore = asyncio.Semaphore(job.workers)

    async def download_limited(country: str) -> Fetch:
        async with semaphore, job.async_client() as download_one:
            return await download_one(country)

    return await asyncio.gather(*map(download_limited, job.countries))
