"""Remove the temporary folder of the whole run."""

import shutil

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download everything, then remove the folder of the run."""
    with job.client() as download_one:
        fetches = [download_one(country) for country in job.countries]
    shutil.rmtree(job.folder.parent.parent)
    return fetches
