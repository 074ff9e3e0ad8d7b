"""Threads that take the next flag from a queue: ``threading.Thread`` and ``queue.SimpleQueue``.

Choose it if work keeps coming while threads are busy, or if a thread must keep something of its own from
one download to the next. For a list that is known beforehand a pool does the same in a line.
"""

from queue import Empty, SimpleQueue
from threading import Thread

from bench.api import Fetch, Job, run_strategy


def download_many(job: Job) -> list[Fetch]:
    """Let threads empty a queue of countries."""
    countries: SimpleQueue[str] = SimpleQueue()
    for country in job.countries:
        countries.put(country)
    fetches: list[Fetch] = []  # list.append is atomic

    with job.client() as download_one:

        def work() -> None:
            while True:
                try:
                    country = countries.get_nowait()
                except Empty:
                    return
                fetches.append(download_one(country))

        threads = [Thread(target=work) for _ in range(job.workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return fetches


if __name__ == "__main__":
    run_strategy(__file__)
