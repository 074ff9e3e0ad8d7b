"""Event loop with a fixed number of tasks that empty a queue: ``asyncio.Queue``.

Choose it if work keeps coming while downloads run, or for so many downloads that one task for each would
take too much memory. For a list of a few thousand, ``gather`` with a semaphore is shorter.
"""

import asyncio

from bench.api import Fetch, Job, run_strategy


def download_many(job: Job) -> list[Fetch]:
    """Run an event loop until every flag is downloaded."""
    return asyncio.run(supervise(job))


async def supervise(job: Job) -> list[Fetch]:
    """Let tasks empty a queue of countries."""
    countries: asyncio.Queue[str] = asyncio.Queue()
    for country in job.countries:
        countries.put_nowait(country)
    fetches: list[Fetch] = []

    async with job.async_client() as download_one:

        async def work() -> None:
            while not countries.empty():
                fetches.append(await download_one(countries.get_nowait()))

        await asyncio.gather(*(work() for _ in range(job.workers)))
    return fetches


if __name__ == "__main__":
    run_strategy(__file__)
