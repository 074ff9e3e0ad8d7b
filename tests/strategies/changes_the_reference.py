"""Change the flags that downloads are compared with."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Write outside the trial's folder."""
    with job.client() as download_one:
        fetches = [download_one(country) for country in job.countries]
    (job.folder.parent.parent / "reference" / "br.gif").write_bytes(b"GIF89a of nowhere")
    return fetches
