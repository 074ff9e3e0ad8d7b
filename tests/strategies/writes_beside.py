"""Leave a file beside the trial's folder."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download everything, and write a file beside the trial's folder."""
    (job.folder.parent.parent / "note.txt").write_text("a note")
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
