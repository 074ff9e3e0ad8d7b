"""Move the folder of the flags and leave a symbolic link to it."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download everything, then move the folder and leave a link."""
    with job.client() as download_one:
        fetches = [download_one(country) for country in job.countries]
    elsewhere = job.folder.with_name("elsewhere")
    job.folder.rename(elsewhere)
    job.folder.symlink_to(elsewhere)
    return fetches
