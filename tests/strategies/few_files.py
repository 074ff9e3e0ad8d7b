"""Save too few files."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download everything, then remove the flags of Brazil and China."""
    with job.client() as download_one:
        fetches = [download_one(country) for country in job.countries]
    (job.folder / "br.gif").unlink()
    (job.folder / "cn.gif").unlink()
    return fetches
