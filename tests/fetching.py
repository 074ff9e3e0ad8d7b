"""Downloading through one face of a client, as a strategy of the plainest kind would."""

import asyncio

from bench.api import Fetch, Job


def fetch_in_turn(job: Job, face: str) -> list[Fetch]:
    """Download one flag after the other through one face of the job's client."""
    if face == "sync":
        with job.client() as download_one:
            return [download_one(country) for country in job.countries]

    async def supervise() -> list[Fetch]:
        async with job.async_client() as download_one:
            return [await download_one(country) for country in job.countries]

    return asyncio.run(supervise())
