"""Clients that cannot share our environment: the tests of all clients in theirs, and a run beside others."""

import re
import subprocess
from pathlib import Path

import pytest

from bench.config.catalog import find_clients
from bench.model.comparison import Variant
from bench.storage.run_folder import JOURNAL
from bench.variants.dependencies import Declaration
from bench.variants.interpreter import find_interpreter
from bench.variants.virtualenv import make_virtualenv
from tests.package_index import need_index
from tests.runs import ROOT, config, document, run

pytestmark = [pytest.mark.e2e, pytest.mark.long]

CLIENTS = {name: client for name, client in find_clients().items() if client.requirements}
TOOLS = ["aiohttp", "gevent", "h2", "pytest", "pytest_cov", "pytest_timeout", "trustme"]
"""Modules that the tests of clients import."""
FILES = ["tests/e2e/test_client_faults.py", "tests/e2e/test_clients.py", "tests/e2e/test_deadline.py"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Share one cache between these tests; skip them where no package can be installed."""
    need_index(tmp_path_factory.mktemp("target"))
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _cached(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAGBENCH_CACHE", str(cache))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("client", CLIENTS)
def test_tests_of_all_clients_pass_in_the_environment_of(client: str) -> None:
    """Among them every fault, each in its class or in the one that the client's file declares."""
    python = make_virtualenv(
        Variant(requirements=CLIENTS[client].requirements),
        None,
        Declaration(Path()),
        interpreter=find_interpreter(""),
        modules=TOOLS,
        progress=print,
    )
    options = ["-o", "addopts=--import-mode=importlib", "-p", "no:cacheprovider", "-m", "not slow", "-q"]
    words = [str(python), "-m", "pytest", *options, "-k", client, *FILES]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    passed = re.search(r"(\d+) passed", ended.stdout)
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr
    assert passed is not None
    assert int(passed[1]) > 20 * len(CLIENTS[client].faces)


@pytest.mark.parametrize("client", CLIENTS)
def test_run_makes_the_environment_of_such_a_client_by_itself(client: str, tmp_path: Path) -> None:
    strategies = ["threadpool_map", "asyncio_gather", "gevent_spawn", "asyncio_gather+uvloop"]
    path = config(tmp_path, strategies, clients=["urllib3", "aiohttp", client], keep_alive=[True, False])
    ended = run(path)
    assert ended.returncode == 0, ended.stderr
    stored = document(path)
    libraries = stored["config"]["environments"][client]["libraries"]
    assert client in libraries
    assert {trial["outcome"] for trial in stored["trials"]} == {"ok"}
    assert {case["client"] for case in stored["cases"]} == {"urllib3", "aiohttp", client}
    assert {str(trial["leak"]) for trial in stored["trials"] if f"/{client}/" in trial["case"]} == {
        str({"threads": 0, "descriptors": 0, "processes": 0})
    }
    for trial in stored["trials"]:
        requests, opened = (trial["rounds"][0]["server"][key] for key in ("requests", "opened"))
        assert requests == 3
        assert opened == 3 or "/close" not in trial["case"]
    assert (tmp_path / "run" / JOURNAL).exists()
