"""Save one flag with wrong bytes."""

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download everything, then change the eleventh byte of Brazil."""
    with job.client() as download_one:
        fetches = [download_one(country) for country in job.countries]
    flag = job.folder / "br.gif"
    content = flag.read_bytes()
    flag.write_bytes(content[:10] + b"\0" + content[11:])
    return fetches
