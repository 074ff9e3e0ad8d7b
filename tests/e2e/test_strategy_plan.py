"""Strategies are measured as what they are: a row never has the name of a client that it did not use."""

from pathlib import Path
from typing import Final

import pytest

from tests.program import call
from tests.runs import config, document, run

pytestmark = pytest.mark.e2e

GATHER: Final = """
import asyncio
def download_many(job): return asyncio.run(supervise(job))
async def supervise(job):
    async with job.async_client() as download_one:
        return await asyncio.gather(*map(download_one, job.countries))
"""
OWN_LIBRARY: Final = """
import time, urllib.request
from bench.api import Fetch
class Downloader:
    def __init__(self): self.client = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    def get(self, job, country):
        start_s, code = time.perf_counter(), country.lower()
        body = self.client.open(f"{job.base_url}/flags/{code}/{code}.gif").read()
        (job.folder / f"{code}.gif").write_bytes(body)
        return Fetch(country, start_s, time.perf_counter(), 200, len(body), "ok")
def download_many(job):
    downloader = Downloader()
    return [downloader.get(job, country) for country in job.countries]
"""
BROKEN_POOL: Final = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
if multiprocessing.parent_process() is not None:
    import no_such_module
def work(job, country): job.client()
def download_many(job):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        return [each.result() for each in [pool.submit(work, job, country) for country in job.countries]]
"""


def strategy(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


def measured(path: Path) -> dict[str, set[str]]:
    """Return the outcomes of the trials of a run, by case."""
    found: dict[str, set[str]] = {}
    for trial in document(path)["trials"]:
        found.setdefault(trial["case"], set()).add(trial["outcome"])
    return found


@pytest.mark.long
def test_gather_without_the_word_workers_gets_every_number_of_workers(tmp_path: Path) -> None:
    """It is told that they only limit its connections."""
    path = config(tmp_path, [strategy(tmp_path, "mine.py", GATHER)], workers=[1, 3], clients=["httpx"])
    ended = run(path)
    assert "mine never read job.workers, so 1 and 3 workers at the most limited" in " ".join(
        ended.stdout.split()
    )
    in_flight = {
        trial["case"]: trial["rounds"][0]["server"]["max_in_flight"] for trial in document(path)["trials"]
    }
    assert in_flight == {"mine/httpx/1/5ms": 1, "mine/httpx/3/5ms": 3}


@pytest.mark.long
def test_own_library_is_one_case_without_a_client(tmp_path: Path) -> None:
    path = config(tmp_path, [strategy(tmp_path, "mine.py", OWN_LIBRARY)], clients=["requests", "urllib3"])
    run(path)
    assert measured(path) == {"mine/-/3/5ms": {"ok"}}


@pytest.mark.long
def test_plan_that_the_warm_up_contradicts_fails_with_cause_and_remedy(tmp_path: Path) -> None:
    """Declarations that are wrong stand for texts that are read wrongly."""
    names = [
        strategy(tmp_path, "none.py", f'CLIENTS = "sync"\n{OWN_LIBRARY}'),
        strategy(tmp_path, "loop.py", f'CLIENTS = "sync"\n{GATHER}'),
        strategy(tmp_path, "some.py", f"CLIENTS = None\n{GATHER}"),
    ]
    path = config(tmp_path, names, clients=["requests"], blocks=1)
    ended = run(path)
    assert ended.returncode == 3
    details = {trial["case"]: trial["detail"] for trial in document(path)["trials"]}
    planned = "and its case was planned"
    assert details == {
        "none/requests/3/5ms": f"none.py opened no client of its job, {planned} with requests: "
        "declare CLIENTS = None",
        "loop/requests/3/5ms": f"loop.py opened an asynchronous client, {planned} with requests: "
        'declare CLIENTS = "async"',
        "some/-/3/5ms": f"some.py opened an asynchronous client, {planned} without a client: "
        'declare CLIENTS = "async"',
    }


@pytest.mark.long
def test_client_of_both_kinds_is_measured_and_the_plan_is_corrected_in_one_line(tmp_path: Path) -> None:
    path = config(tmp_path, [strategy(tmp_path, "mine.py", f'CLIENTS = "sync"\n{GATHER}')], clients=["httpx"])
    ended = run(path)
    assert measured(path) == {"mine/httpx/3/5ms": {"ok"}}
    assert "warning: mine.py opened an asynchronous client" in ended.stderr


@pytest.mark.long
def test_error_of_a_process_of_the_pool_is_part_of_the_message(tmp_path: Path) -> None:
    path = config(tmp_path, [strategy(tmp_path, "mine.py", BROKEN_POOL)], blocks=1)
    run(path)
    (detail,) = (trial["detail"] for trial in document(path)["trials"])
    assert "BrokenProcessPool" in detail
    error = "in a child process: ModuleNotFoundError: No module named 'no_such_module' (mine.py:5)"
    assert detail.endswith(error)


@pytest.mark.parametrize("command", ["check", "run"])
def test_function_that_cannot_be_called_with_one_job_is_refused_before_anything_starts(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = config(tmp_path, [strategy(tmp_path, "mine.py", "def download_many(job, folder): return []\n")])
    assert call(monkeypatch, command, str(path)) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "needs 2 arguments (job, folder), and is called with one, the job" in error
    assert "`def download_many(job: Job) -> list[Fetch]`" in error
    assert not (tmp_path / "results").exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "option", "problem"),
    [
        (
            f'OPTIONS = ("fast",)\n{GATHER}',
            "fast",
            "mine.py never read job.option, and its case is planned with fast",
        ),
        (
            GATHER.replace(
                "asyncio.run(supervise(job))",
                "asyncio.SelectorEventLoop().run_until_complete(supervise(job))",
            ),
            "uvloop",
            "mine.py made no event loop of uvloop, as asyncio.run does without a loop_factory",
        ),
    ],
)
def test_option_that_a_strategy_does_not_use_is_an_error(
    tmp_path: Path, text: str, option: str, problem: str
) -> None:
    file = strategy(tmp_path, "mine.py", text)
    path = config(tmp_path, [f"{file}+{option}"], clients=["aiohttp"], blocks=1)
    assert run(path).returncode == 3
    assert [(each["outcome"], each["detail"]) for each in document(path)["trials"]] == [("error", problem)]
