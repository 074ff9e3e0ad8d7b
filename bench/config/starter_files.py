"""The files that ``new`` and ``init`` write for the user to go on from."""

from typing import Final

SCRIPT: Final = '''\
"""A way of downloading flags: change it as you like, and measure it again.

    {program} run {file}

flagbench calls `download_many` with a job: `job.countries` are the codes to download, `job.workers` says how
many downloads may be in flight at once, and `job.client()` opens the HTTP client of the case. It yields
`download_one(code)`, which gets a flag, saves it and returns a `Fetch`; any thread may call it. In an event
loop use `async with job.async_client() as download_one`, and await `download_one(code)`.

With HTTP code of your own, write one of these functions instead:

    def download_many(cc_list, base_url, concur_req): ...   # get {{base_url}}/br/br.gif, save it as br.gif
    def get(url: str) -> bytes: ...                          # one URL; threads and processes call it
    async def get(url: str) -> bytes: ...                    # one URL; event loops await it
"""

from concurrent.futures import ThreadPoolExecutor

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download all flags with a pool of threads."""
    with job.client() as download_one, ThreadPoolExecutor(job.workers) as executor:
        return list(executor.map(download_one, job.countries))
'''
"""A script with the fields ``program`` and ``file``."""

CONFIG: Final = """\
# What to measure, for `{program} run {file}`. Lines that begin with # are other settings to try.

countries: pop20                    # the 20 most populous countries; or all, or a list such as [BR, CN, IN]
workers: [5, 20]                    # downloads that may be in flight at once
clients: [requests, httpx]          # HTTP libraries; `{program} list clients` has all

strategies:                         # `{program} list strategies` has all
  - sequential                      # the reference for "times faster"
  - threadpool_map
  - {{name: asyncio_gather, clients: [aiohttp]}}
  # - my_download.py                # your own code, relative to this file

profile: {{latency: {{uniform: [10ms, 20ms]}}}}     # how long the server takes for each flag
# profile: {{latency: {{lognormal: {{median: 50ms, p99: 200ms}}}}, bandwidth: 2MiB}}

blocks: 10                          # each block runs every case once, in random order
# blocks: {{min: 6, max: 30}}        # or as many as it takes for
# precision: 5%                     # intervals of this half width,
# budget: 5m                        # but no longer than this
# margin: 3%                        # a difference that is too small to matter
"""
"""A config with the fields ``program`` and ``file``."""
