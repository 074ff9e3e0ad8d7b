"""Allow no file of more than a hundred bytes."""

import resource

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Work as asked, as far as that goes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
