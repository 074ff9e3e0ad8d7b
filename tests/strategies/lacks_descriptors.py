"""Run out of file descriptors."""

import os
import resource

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Lower the limit of descriptors, and fail to open a pipe."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, most))
    os.pipe()
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
