"""Add a strategy or a client to the catalogue: one file, and no other edit.

The contract (tests/unit) tries a client and strategies of a user's, too.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.runs import config

pytestmark = [pytest.mark.e2e, pytest.mark.long]

ROOT: Final = Path(__file__).parents[2]
STRATEGY: Final = '''"""Two at a time: the halves of the list in two threads.

Choose it never: it is here to be added.
"""

from threading import Thread

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Let each of two threads download one half."""
    fetches: list[Fetch] = []
    with job.client() as download_one:

        def download(countries: tuple[str, ...]) -> None:
            fetches.extend(map(download_one, countries[: job.workers * len(countries)]))

        threads = [Thread(target=download, args=(job.countries[half::2],)) for half in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return fetches
'''
CLIENT: Final = '''"""A connection of ``http.client`` for each request."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

from bench.api import Answer, ClientSettings, Get, JoinedHeaders

KEEP_ALIVE = False
DEVIATIONS = {"surplus_bytes": "ok"}


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)``."""

    def get(url: str) -> Answer:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=settings.request_timeout_s)
        try:
            connection.request("GET", urlsplit(url).path, headers={"Connection": "close"})
            response = connection.getresponse()
            body = response.read(settings.largest_bytes)
            return Answer(response.status, body, JoinedHeaders(response.headers.get_all))
        finally:
            connection.close()

    yield get
'''


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy the project, and add the two files."""
    folder = tmp_path / "checkout"
    for name in ("bench", "strategies", "configs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "strategies" / "two_halves.py").write_text(STRATEGY, encoding="utf-8")
    (folder / "strategies" / "clients" / "one_request.py").write_text(CLIENT, encoding="utf-8")
    return folder


def call(checkout: Path, *words: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "COLUMNS": "200"},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_strategy_and_client_of_one_file_each_are_listed_and_measured_with_all_others(
    checkout: Path, tmp_path: Path
) -> None:
    assert "Two at a time: the halves of the list in two threads." in call(checkout, "list", "strategies")
    assert "A connection of http.client for each request." in call(checkout, "list", "clients")
    path = config(
        tmp_path,
        ["two_halves", "threadpool_map"],
        clients=["one_request", "urllib3"],
        keep_alive=False,
        workers=2,
        blocks=1,
    )
    call(checkout, "run", str(path), "--out", str(tmp_path / "run"), "--quiet")
    stored = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert {trial["case"]: trial["outcome"] for trial in stored["trials"]} == {
        f"{strategy}/{client}/2/5ms/close": "ok"
        for strategy in ("two_halves", "threadpool_map")
        for client in ("one_request", "urllib3")
    }
    assert {round_["verified"] for trial in stored["trials"] for round_ in trial["rounds"]} == {3}
