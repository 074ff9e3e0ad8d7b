"""Tasks of anyio, which run on asyncio or, as an option, on trio: ``anyio.create_task_group``.

Choose it for code that must run on both event loops, or for its cancellation, which ends a whole group of
tasks reliably. On trio, the client must be one that does not depend on asyncio.
"""

import anyio

from bench.api import Fetch, Job, run_strategy

OPTIONS = ("trio",)


def download_many(job: Job) -> list[Fetch]:
    """Run an event loop until every flag is downloaded."""
    return anyio.run(supervise, job, backend=job.option or "asyncio")


async def supervise(job: Job) -> list[Fetch]:
    """Start a task for each flag; the group ends when all of them have."""
    limiter = anyio.CapacityLimiter(job.workers)
    fetches: list[Fetch] = []

    async with job.async_client() as download_one, anyio.create_task_group() as group:

        async def download_limited(country: str) -> None:
            async with limiter:
                fetches.append(await download_one(country))

        for country in job.countries:
            group.start_soon(download_limited, country)
    return fetches


if __name__ == "__main__":
    run_strategy(__file__)
