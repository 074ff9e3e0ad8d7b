"""Process pool, results in the order asked: ``ProcessPoolExecutor.map``.

Choose it if each answer takes long to work on, such as to parse or to decode, since processes use all
cores at once. For downloads alone it pays for starting processes and gains nothing.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.util import Finalize

from bench.api import Fetch, Job, run_strategy

OPTIONS = ("fork", "forkserver", "spawn")

clients = ExitStack()
get_flag: Callable[[str], Fetch]


def open_client(job: Job) -> None:
    """Open one client for all downloads of this process of the pool."""
    global get_flag  # noqa: PLW0603  an initializer cannot return anything to its process
    get_flag = clients.enter_context(job.client())
    Finalize(None, clients.close, exitpriority=0)  # a pool's processes exit without running atexit


def download_one(country: str) -> Fetch:
    """Download one flag; at module level, as other processes find the function by its name."""
    return get_flag(country)


def download_many(job: Job) -> list[Fetch]:
    """Download all flags with a pool of processes."""
    context = get_context(job.option or None)  # without an option, the platform's default
    with ProcessPoolExecutor(job.workers, context, initializer=open_client, initargs=(job,)) as executor:
        return list(executor.map(download_one, job.countries))


if __name__ == "__main__":
    run_strategy(__file__)
