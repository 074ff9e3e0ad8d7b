"""Leave a file in the current folder."""

from pathlib import Path

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download everything, and write a file into the current folder."""
    Path("stray.txt").write_text("note", encoding="utf-8")
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
