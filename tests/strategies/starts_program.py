"""Start a program and report the descriptors that it inherited."""

import subprocess

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Raise an exception that lists the descriptors of another program."""
    listing = subprocess.run(["ls", "/proc/self/fd"], capture_output=True, check=True, close_fds=False)
    raise RuntimeError(f"{len(job.countries)} countries, descriptors {listing.stdout.decode().split()}")
