"""Save the second flag on a full disk."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download everything, but save China to a device that is always full."""
    (job.folder / "cn.gif").symlink_to("/dev/full")
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
