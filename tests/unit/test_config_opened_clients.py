"""The clients that a strategy seems to open: those of its job, however it reaches them."""

import ast

import pytest

from bench.config.opened_clients import opened_clients

HEAD = "from bench.api import Job\n"
LOADER = "class Loader:\n    def __init__(self, j): self.it = j\n    def run(self): self.it.client()\n"
DATACLASS = "class Loader:\n    it: Job\n    def run(self): self.it.client()\n"
UNPACKS = "def work(task):\n    job, c = task\n    job.client()\n"
GLOBAL = "def start(j):\n    global JOB\n    JOB = j\ndef work(c): JOB.client()\n"
OWN_CLIENT = (
    "class My:\n    def __init__(self): self.client = httpx.AsyncClient()\n"
    "    def get(self): return self.client.get()\n"
)


def opened(text: str) -> set[str]:
    return set(opened_clients(ast.parse(HEAD + text), "download_many"))


@pytest.mark.parametrize(
    "text",
    [
        "def download_many(job):\n    with job.client() as get: pass",
        "def download_many(any_name, pause=1):\n    any_name.client()",
        "def download_many(job):\n    open_it = job.client\n    open_it()",
        "def download_many(job):\n    j = job\n    j.client()",
        "def download_many(job):\n    (j := job).client()",
        "def download_many(job):\n    j, n = job, 3\n    j.client()",
        "def download_many(job):\n    getattr(job, 'client')()",
        "def download_many(job):\n    job._replace(keep_alive=False).client()",
        "def download_many(job):\n    def inner(c):\n        with job.client() as get: return get(c)",
        "def download_many(job):\n    (lambda: job.client())()",
        "def download_many(*jobs):\n    jobs[0].client()",
        "def download_many(*jobs):\n    job, = jobs\n    job.client()",
        # handed to functions and classes of the file
        "def work(c, j): j.client()\ndef download_many(job): work('BR', job)",
        "def work(c, *, j): j.client()\ndef download_many(job): work('BR', j=job)",
        "def one(j): two(j)\ndef two(k): k.client()\ndef download_many(job): one(job)",
        f"{LOADER}def download_many(job): Loader(job).run()",
        "class Loader:\n    def run(self, j): j.client()\ndef download_many(job): Loader().run(job)",
        f"{DATACLASS}def download_many(x): Loader(x).run()",
        # handed to pools, threads and partial
        "def work(j, c): j.client()\ndef download_many(job): pool.submit(work, job, 'BR')",
        "def work(j, c): j.client()\ndef download_many(job): pool.map(partial(work, job), job.countries)",
        "def work(c, j): j.client()\ndef download_many(job): partial(work, j=job)",
        "def work(j, c): j.client()\ndef download_many(job): Thread(target=work, args=(job, 'BR'))",
        "def start(j): j.client()\ndef download_many(job): Pool(3, start, (job,))",
        "def start(j): j.client()\ndef download_many(job): Pool(3, initializer=start, initargs=(job,))",
        "def work(j, c): j.client()\ndef download_many(job): pool.map(work, repeat(job), job.countries)",
        "def work(j, c): j.client()\ndef download_many(job): pool.map(work, [job] * 3, job.countries)",
        f"{UNPACKS}def download_many(job): pool.map(work, [(job, c) for c in job.countries])",
        "def download_many(job): pool.map(lambda j: j.client(), [job])",
        # kept elsewhere
        f"{GLOBAL}def download_many(job): start(job)",
        "STATE = {}\ndef work(c): STATE['job'].client()\ndef download_many(job): STATE['job'] = job",
        # annotated
        "def work(x: Job): x.client()\ndef download_many(j): elsewhere(work, j)",
        "def work(x: 'Job | None'): x.client()\ndef download_many(j): pass",
        "import bench.api\ndef work(x: bench.api.Job): x.client()\ndef download_many(j): pass",
        "from bench.api import Job as Task\ndef work(x: Task): x.client()\ndef download_many(j): pass",
    ],
)
def test_client_of_the_job_counts_however_it_is_reached(text: str) -> None:
    assert opened(text) == {"sync"}
    assert opened(text.replace("client", "async_client")) == {"async"}


@pytest.mark.parametrize(
    "text",
    [
        "def download_many(job): return []",
        f"{OWN_CLIENT}def download_many(job): My().get()",
        "def download_many(job):\n    boto.client('s3'); session.async_client; request.client",
        "def download_many(job):\n    job.folder.client(); job.countries.client",
        "def download_many(job):\n    client = httpx.Client()\n    client.get('x')",
        "def work(job): job.client()\ndef download_many(j): pool.map(work, queue)",
        "def work(c, other): other.client()\ndef download_many(job): work(job, thing)",
        "class Job:\n    pass\ndef work(x: Job): x.client()\ndef download_many(j): pass",
        "def download_many(job):\n    def inner(job): job.client()\n    inner(thing)",
    ],
)
def test_client_of_anything_else_does_not_count(text: str) -> None:
    assert opened(text) == set()


def test_both_kinds_are_found() -> None:
    assert opened("def download_many(job):\n    job.client()\n    job.async_client()") == {"sync", "async"}


def test_long_expressions_are_followed() -> None:
    """As long as the parser accepts them."""
    text = "def download_many(job):\n    x = " + " + ".join(["[job]"] * 2000) + "\n    job.client()"
    assert opened(text) == {"sync"}


def test_job_of_a_static_method_is_its_first_parameter() -> None:
    text = """
class Downloader:
    @staticmethod
    def go(job):
        with job.client() as download_one:
            return [download_one(country) for country in job.countries]


def download_many(job):
    return Downloader.go(job)
"""
    assert opened_clients(ast.parse(text), "download_many") == {"sync"}
