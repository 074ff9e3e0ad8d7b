"""Leave an extra file in the folder of the flags."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download everything, and write a file."""
    (job.folder / "x.tmp").write_text("a note")
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
