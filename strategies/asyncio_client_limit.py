"""Event loop in which the client's own limit of connections decides how many downloads run: no semaphore.

Choose it if the library has such a limit, as aiohttp and httpx do: the code is the shortest of all. Each
download waits inside the client, so its time includes the wait, and a timeout for it does, too.
"""

import asyncio

from bench.api import Fetch, Job, run_strategy

WORKERS = "client"


def download_many(job: Job) -> list[Fetch]:
    """Run an event loop until every flag is downloaded."""
    return asyncio.run(supervise(job))


async def supervise(job: Job) -> list[Fetch]:
    """Start all downloads at once; the client opens as many connections as there are workers."""
    async with job.async_client() as download_one:
        tasks = [
            job.watch(country, asyncio.ensure_future(download_one(country))) for country in job.countries
        ]
        return await asyncio.gather(*tasks)


if __name__ == "__main__":
    run_strategy(__file__)
