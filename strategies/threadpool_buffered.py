"""Thread pool that asks for a few flags ahead: ``ThreadPoolExecutor.map`` with ``buffersize``.

Choose it if the list of what to download is long or endless, as it is read no further than the buffer. The
results come in order, so one slow download holds up the reading, and with it the others.
"""

from concurrent.futures import ThreadPoolExecutor

from bench.api import Fetch, Job, run_strategy

NEEDS_PYTHON = (3, 14)

AHEAD = 2  # as many again, so that no thread runs out of work


def download_many(job: Job) -> list[Fetch]:
    """Download all flags with a pool of threads, and schedule only the next ones."""
    with job.client() as download_one, ThreadPoolExecutor(job.workers) as executor:
        ahead = AHEAD * job.workers
        return list(executor.map(download_one, job.countries, buffersize=ahead))  # type: ignore[call-arg, unused-ignore]


if __name__ == "__main__":
    run_strategy(__file__)
