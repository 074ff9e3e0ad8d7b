"""One after the other in a plain loop, the starting point of the chapter.

Choose it if there are few downloads or time does not matter: nothing is simpler to read and to debug. It
is what every other way is compared with, as most of its time is waiting.
"""

from bench.api import Fetch, Job, run_strategy

WORKERS = False


def download_many(job: Job) -> list[Fetch]:
    """Download each flag once the previous one is saved."""
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]


if __name__ == "__main__":
    run_strategy(__file__)
