"""Greenlets that take the next flag from a shared iterator: ``gevent.spawn``.

Choose it for thousands of downloads at once with code that was written for threads. All modules that wait
are replaced when the program starts, and a library of compiled code would stop every greenlet.
"""

from gevent import monkey

monkey.patch_all()  # before other imports: from now on, sockets, locks and threads wait in greenlets

import gevent  # noqa: E402

from bench.api import Fetch, Job, run_strategy  # noqa: E402


def download_many(job: Job) -> list[Fetch]:
    """Let greenlets work through the countries."""
    countries = iter(job.countries)
    with job.client() as download_one:

        def work() -> list[Fetch]:
            return [download_one(country) for country in countries]

        greenlets = [gevent.spawn(work) for _ in range(job.workers)]
        gevent.joinall(greenlets, raise_error=True)
    gevent.get_hub().threadpool.kill()  # its threads have looked up the address
    return [fetch for greenlet in greenlets for fetch in greenlet.value]


if __name__ == "__main__":
    run_strategy(__file__)
