"""Work in a folder that is then removed."""

import os
import tempfile

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Change into a folder, remove it, and download everything."""
    with tempfile.TemporaryDirectory() as elsewhere:
        os.chdir(elsewhere)
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
