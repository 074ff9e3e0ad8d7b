"""Leave a file beside the folder of the trial."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download everything, and write a note where others work."""
    (job.folder.parent.parent / "note.txt").write_text("a note")
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
