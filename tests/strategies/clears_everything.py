"""Remove the trial's folder."""

import shutil

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download everything, then remove the trial's folder."""
    with job.client() as download_one:
        fetches = [download_one(country) for country in job.countries]
    shutil.rmtree(job.folder.parent)
    return fetches
