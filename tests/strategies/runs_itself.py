"""A strategy that can be run as a program."""

from bench.api import Fetch, Job, run_strategy


def download_many(job: Job) -> list[Fetch]:
    """Download each flag in turn."""
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]


if __name__ == "__main__":
    run_strategy(__file__)
