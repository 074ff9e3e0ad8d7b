"""Event loop whose tasks begin at once, without waiting for their turn: ``asyncio.eager_task_factory``.

Choose it if many tasks end without having to wait, such as answers from a cache, as these cost next to
nothing then. Downloads always wait, so they gain little; and code that counts on tasks to start later breaks.
"""

import asyncio

from bench.api import Fetch, Job, run_strategy
from strategies.asyncio_gather import supervise

NEEDS_PYTHON = (3, 12)
CLIENTS = "async"  # opened by supervise


def download_many(job: Job) -> list[Fetch]:
    """Run an event loop until every flag is downloaded."""
    return asyncio.run(supervise_eagerly(job))


async def supervise_eagerly(job: Job) -> list[Fetch]:
    """Do the same as ``asyncio_gather``, and start each task when it is created."""
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined, unused-ignore]
    return await supervise(job)


if __name__ == "__main__":
    run_strategy(__file__)
