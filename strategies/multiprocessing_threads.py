"""Pool of threads with the interface of processes: ``multiprocessing.pool.ThreadPool.map``.

Choose it if the same code should run with threads or with processes, as both pools of ``multiprocessing``
have the same methods. Otherwise ``ThreadPoolExecutor`` is better kept, and its futures work with
``asyncio``, too.
"""

from multiprocessing.pool import ThreadPool

from bench.api import Fetch, Job, run_strategy


def download_many(job: Job) -> list[Fetch]:
    """Download all flags with a pool of threads, one flag at a time for each."""
    with job.client() as download_one, ThreadPool(job.workers) as pool:
        return pool.map(download_one, job.countries, chunksize=1)


if __name__ == "__main__":
    run_strategy(__file__)
