"""One after the other in a plain loop, the starting point of the chapter."""

from bench.api import Fetch, Job, run_strategy

WORKERS = False


def download_many(job: Job) -> list[Fetch]:
    """Download each flag once the previous one is saved."""
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]


if __name__ == "__main__":
    run_strategy(__file__)
