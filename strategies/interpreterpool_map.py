"""Pool of interpreters in one process, each with a lock of its own: ``InterpreterPoolExecutor.map``.

Choose it to use all cores without starting processes, if every module that you import allows it: many of
compiled code do not. Arguments and results are copied from one interpreter to another.
"""

import atexit
from collections.abc import Callable
from concurrent.futures import InterpreterPoolExecutor  # type: ignore[attr-defined, unused-ignore]
from contextlib import ExitStack

from bench.api import Fetch, Job, run_strategy

NEEDS_PYTHON = (3, 14)

clients = ExitStack()
get_flag: Callable[[str], Fetch]


def open_client(job: Job) -> None:
    """Open one client for all downloads of this interpreter of the pool."""
    global get_flag  # noqa: PLW0603  an initializer cannot return anything to its interpreter
    get_flag = clients.enter_context(job.client())
    atexit.register(clients.close)


def download_one(country: str) -> Fetch:
    """Download one flag; at module level, as other interpreters find the function by its name."""
    return get_flag(country)


def download_many(job: Job) -> list[Fetch]:
    """Download all flags with a pool of interpreters."""
    with InterpreterPoolExecutor(job.workers, initializer=open_client, initargs=(job,)) as executor:
        return list(executor.map(download_one, job.countries))


if __name__ == "__main__":
    run_strategy(__file__)
