"""Import a module that does not exist."""

import no_such_library  # type: ignore[import-not-found]  # noqa: F401

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download everything."""
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
