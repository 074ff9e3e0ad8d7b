"""The conditions of each case, as a run stores and prints them: connections, libraries, collections."""

import json
import shutil
from collections.abc import Mapping
from importlib import metadata, util
from pathlib import Path
from typing import Any

import pytest

from bench.report.results_table import run_tables
from bench.storage.run_json import run_from_bytes
from tests.rendering import printed
from tests.runs import config, document, run

pytestmark = [pytest.mark.e2e]

COUNTRIES = ["BR", "CN", "IN", "US", "ID", "PK"]
GATHER = {"name": "asyncio_gather", "clients": ["aiohttp"]}


def conditions(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return the stored conditions by case."""
    stored = document(path)
    assert [each["case"] for each in stored["fairness"]] == [each["id"] for each in stored["cases"]]
    return {each["case"]: each for each in stored["fairness"]}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((["processpool_map", GATHER], [True]), id="kept"),
        pytest.param(
            (["sequential", "threadpool_map", GATHER, "processpool_map"], [True, False]),
            id="both",
            marks=pytest.mark.long,
        ),
    ],
)
def measured(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Measure threads, an event loop and processes, with connections that are kept and that are not."""
    strategies, keep_alive = request.param
    path = config(
        tmp_path_factory.mktemp("fair"),
        strategies,
        countries=COUNTRIES,
        workers=2,
        clients=["requests"],
        keep_alive=keep_alive,
        blocks=1,
        rounds=2,
    )
    ended = run(path)
    assert ended.returncode == 0, ended.stderr
    assert len(document(path)["cases"]) == len(strategies) * len(keep_alive)
    return path


def test_kept_connections_are_reused_and_others_carry_one_fetch_each(measured: Path) -> None:
    """The server counts them, for processes as well."""
    found = conditions(measured)
    for case, about in found.items():
        opened, reuse = about["connections_opened"], about["fetches_per_connection"]
        assert about["settings"]["keep_alive"] == (not case.endswith("/close"))
        if case.endswith("/close"):
            assert (opened, reuse) == (6, 1.0), case
        elif case.startswith("sequential"):
            assert (opened, reuse) == (1, 6.0)
        else:
            assert 1 <= opened <= 2, case
            assert reuse == 6 / opened, case


def test_settings_of_all_clients_are_those_that_they_were_opened_with(measured: Path) -> None:
    for case, about in conditions(measured).items():
        assert about["settings"] == {
            "keep_alive": not case.endswith("/close"),
            "http": "1.1",
            "tls": False,
            "connection_limit": 1 if case.startswith("sequential") else 2,
            "request_timeout_s": document(measured)["config"]["request_timeout_s"],
            "largest_bytes": 8 << 20,
        }, case


def test_libraries_are_those_that_the_workers_imported(measured: Path) -> None:
    for case, about in conditions(measured).items():
        name = "aiohttp" if "/aiohttp/" in case else "requests"
        spec = util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        (library,) = about["libraries"]
        assert (library["module"], library["distribution"]) == (name, name)
        assert library["version"] == metadata.version(name)
        assert library["file"] == spec.origin.replace(str(Path.home()), "~")
        assert about["has_gil"] is True
        loops = about["event_loops"]
        assert [loop.partition(".")[0] for loop in loops] == (["asyncio"] if name == "aiohttp" else [])


def test_only_a_process_with_all_the_work_tells_its_collections(measured: Path) -> None:
    for case, about in conditions(measured).items():
        figures = about["gc_collections"], about["blocks_grown"]
        if case.startswith("processpool_map"):
            assert figures == (None, None)
        else:
            assert figures[0] >= 0
            assert figures[1] > 0, case


def test_the_printed_table_has_the_stored_conditions(measured: Path) -> None:
    stored = run_from_bytes((measured.parent / "run" / "run.json").read_bytes())
    text = printed(run_tables(stored), 80)
    assert f"aiohttp   {metadata.version('aiohttp')}" in text
    assert "site-packages/aiohttp" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.long
def test_a_library_of_the_project_and_a_strategy_without_a_client_are_recognised(tmp_path: Path) -> None:
    """The fork of a library precedes the installed one; a strategy with its own library has no settings."""
    spec = util.find_spec("urllib3")
    assert spec is not None
    assert spec.origin is not None
    shutil.copytree(Path(spec.origin).parent, tmp_path / "urllib3")
    version = tmp_path / "urllib3" / "_version.py"
    version.write_text(
        version.read_text("utf-8") + '\n__version__ = version = "99.1+fork"\n', encoding="utf-8"
    )
    (tmp_path / "pyproject.toml").touch()
    for name, own in (("pooled", True), ("own", False)):
        opening = "job.client() as get" if own else "urllib3.PoolManager() as pool"
        fetch = "get(country)" if own else "ask(pool, job, country)"
        (tmp_path / f"{name}.py").write_text(
            "import time\nimport urllib3\nfrom bench.api import Fetch\n\n"
            "def ask(pool, job, country):\n"
            "    start_s, code = time.perf_counter(), country.lower()\n"
            "    answer = pool.request('GET', f'{job.base_url}/flags/{code}/{code}.gif')\n"
            "    (job.folder / f'{code}.gif').write_bytes(answer.data)\n"
            "    return Fetch(country, start_s, time.perf_counter(), 200, len(answer.data), 'ok')\n\n"
            "def download_many(job):\n"
            f"    with {opening}:\n"
            f"        return [{fetch} for country in job.countries]\n",
            encoding="utf-8",
        )
    path = config(tmp_path, ["./pooled.py", "./own.py"], workers=1, blocks=1)
    ended = run(path)
    assert ended.returncode == 0, ended.stderr + json.dumps(document(path)["trials"])[:2000]
    found = conditions(path)
    for case, about in found.items():
        (library,) = about["libraries"]
        assert (library["distribution"], library["version"]) == ("", "99.1+fork")
        assert library["file"] == str(tmp_path / "urllib3" / "__init__.py")
        assert library["importer"] == ("strategy" if case.startswith("own/") else "client")
        assert (about["settings"] is None) == case.startswith("own/")
        assert (about["connections_opened"], about["fetches_per_connection"]) == (1, 3.0)


@pytest.mark.parametrize("client", ["aiohttp", pytest.param("httpx", marks=pytest.mark.long)])
def test_limit_of_connections_is_kept_and_told(tmp_path: Path, client: str) -> None:
    """By the server log; with httpx, threads wait for a connection, too."""
    strategies = ["asyncio_gather", "threadpool_map"] if client == "httpx" else ["asyncio_gather"]
    path = config(
        tmp_path,
        strategies,
        clients=[client],
        workers=3,
        connection_limit=[1, "auto"],
        blocks=1,
        countries="pop20",
    )
    assert run(path).returncode == 0
    stored = document(path)
    limits = {each["case"]: each["settings"]["connection_limit"] for each in stored["fairness"]}
    peaks = {
        trial["case"]: max(round_["server"]["max_in_flight"] for round_ in trial["rounds"])
        for trial in stored["trials"]
    }
    for strategy in strategies:
        case = f"{strategy}/{client}/3/5ms"
        assert (limits[case], peaks[case]) == (3, 3)
        assert (limits[f"{case}/1conn"], peaks[f"{case}/1conn"]) == (1, 1)
