"""Remove the folder that holds the flags."""

import shutil

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download everything, then lose all of it, and the folder of the trial too."""
    with job.client() as download_one:
        fetches = [download_one(country) for country in job.countries]
    shutil.rmtree(job.folder.parent)
    return fetches
