"""Leave files, folders and links in the round's folder and beside it."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download everything, and leave a folder, a file in it, a link and a file beside them."""
    below = job.folder / "notes"
    below.mkdir()
    (below / "a.txt").touch()
    (job.folder / "link.gif").symlink_to(job.folder)
    (job.folder.parent / "beside.txt").touch()
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
