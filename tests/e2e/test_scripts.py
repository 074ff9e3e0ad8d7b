"""Scripts of the user's, in every accepted form, measured beside the references without a config."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.config.catalog import find_strategies

ROOT = Path(__file__).parents[2]
REFERENCES = ["sequential/requests", "threadpool_map/requests", "asyncio_gather/aiohttp"]

STRATEGY = """
from concurrent.futures import ThreadPoolExecutor
from bench.api import Fetch, Job

def download_many(job: Job) -> list[Fetch]:
    with job.client() as download_one, ThreadPoolExecutor(job.workers) as executor:
        return list(executor.map(download_one, job.countries))
"""
COMMON = """
from pathlib import Path
import requests

BASE_URL = "https://flags.invalid/data/flags"
DEST_DIR = Path("downloaded")

def get_flag(cc):
    response = requests.get(f"{BASE_URL}/{cc}/{cc}.gif".lower(), timeout=5)
    response.raise_for_status()
    return response.content

def save_flag(image, filename):
    (DEST_DIR / filename).write_bytes(image)

def download(cc):
    save_flag(get_flag(cc), f"{cc}.gif")
"""
CODES = """
from concurrent import futures
from common import get_flag, save_flag

def download_one(cc):
    save_flag(get_flag(cc), f"{cc}.gif")
    return cc

def download_many(cc_list: list[str]) -> int:
    with futures.ThreadPoolExecutor() as executor:
        return len(list(executor.map(download_one, sorted(cc_list))))
"""
CODES_ASYNC = """
import asyncio
import httpx
from common import BASE_URL, save_flag

async def download_one(client, cc):
    response = await client.get(f"{BASE_URL}/{cc}/{cc}.gif".lower())
    save_flag(response.content, f"{cc}.gif")

async def supervise(codes):
    async with httpx.AsyncClient() as client:
        await asyncio.gather(*(download_one(client, cc) for cc in codes))

def download_many(cc_list):
    asyncio.run(supervise(cc_list))
"""
COROUTINE_OF_JOB = """
import asyncio
from bench.api import Fetch, Job

async def download_many(job: Job) -> list[Fetch]:
    limit = asyncio.Semaphore(job.workers)
    async with job.async_client() as download_one:
        async def fetch(code):
            async with limit:
                return await download_one(code)
        return await asyncio.gather(*map(fetch, job.countries))
"""
COROUTINE_OF_CODES = """
import asyncio
import httpx
from common import BASE_URL, save_flag

async def fetch_all(codes: list[str]) -> None:
    await download_many(codes, BASE_URL, False, len(codes))

async def download_many(cc_list, base_url, verbose, concur_req):
    limit = asyncio.Semaphore(concur_req)
    async with httpx.AsyncClient() as client:
        async def fetch(cc):
            async with limit:
                response = await client.get(f"{base_url}/{cc}/{cc}.gif".lower())
            save_flag(response.content, f"{cc}.gif")
        await asyncio.gather(*map(fetch, cc_list))
"""
ADDRESS = """
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
import requests
from common import save_flag

def download_one(cc, base_url):
    response = requests.get(f"{base_url}/{cc}/{cc}.gif".lower(), timeout=5)
    if response.status_code == 404:
        return "not found"
    save_flag(response.content, f"{cc}.gif")
    return "ok"

def download_many(cc_list: list[str], base_url: str, verbose: bool, concur_req: int) -> Counter[str]:
    with ThreadPoolExecutor(concur_req) as executor:
        return Counter(executor.map(download_one, cc_list, [base_url] * len(cc_list)))
"""
DERIVED = """
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
import requests
import common

BASE_URL = os.environ.get("FLAGS_URL", "https://flags.invalid")
FLAGS_URL = BASE_URL + "/data/flags"
TEMPLATE = f"{BASE_URL}/flags/{{0}}/{{0}}.gif"
DEST_DIR = Path("downloaded")
save = DEST_DIR.joinpath

class Settings:
    HOST_URL = "https://flags.invalid/"
    url = FLAGS_URL

class Session(requests.Session):
    base = BASE_URL

    def get_flag(self, cc, url=None):
        response = self.get(url or f"{self.base}/flags/{cc}/{cc}.gif".lower(), timeout=5)
        response.raise_for_status()
        save(f"{cc}.gif").write_bytes(response.content)

SESSION = Session()

def by_default(cc, base_url=BASE_URL, *, folder=DEST_DIR):
    response = SESSION.get(f"{base_url}/flags/{cc}/{cc}.gif".lower(), timeout=5)
    (folder / f"{cc}.gif").write_bytes(response.content)

def by_sum(cc):
    SESSION.get_flag(cc, f"{FLAGS_URL}/{cc}/{cc}.gif".lower())

def by_template(cc):
    SESSION.get_flag(cc, TEMPLATE.format(cc.lower()))

def by_attribute(cc):
    SESSION.get_flag(cc, f"{Settings.url}/{cc}/{cc}.gif".lower())

def by_own_attribute(cc):
    SESSION.get_flag(cc, f"{Settings.HOST_URL}data/flags/{cc}/{cc}.gif".lower())

def by_late_import(cc):
    from late import download
    download(cc)

WAYS = {
    "BR": by_default, "CN": by_sum, "IN": by_template, "US": by_attribute, "ID": by_own_attribute,
    "PK": by_late_import, "NG": SESSION.get_flag,
}

def each_way(cc):
    WAYS[cc](cc)

def download_many(cc_list):
    for cc in cc_list:
        each_way(cc)

def spawned(cc_list):
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        list(executor.map(each_way, cc_list))

def neighbour(cc_list):
    with ProcessPoolExecutor(1, multiprocessing.get_context("forkserver")) as executor:
        list(executor.map(common.download, cc_list))

POOLS = []

def kept_pool(cc_list):
    if not POOLS:
        POOLS.append(ProcessPoolExecutor(1, multiprocessing.get_context("forkserver")))
    list(POOLS[0].map(each_way, cc_list))
"""
LATE = """
from common import *

def download(cc, get=get_flag):
    save_flag(get(cc), f"{cc}.gif")
"""
GET = """
import urllib.request

def get(url: str) -> bytes:
    with urllib.request.urlopen(url) as response:
        return response.read()
"""
GET_RESPONSE = """
import requests

def fetch(url):
    return requests.get(url)
"""
GET_ASYNC = """
import httpx

async def fetch(url: str) -> bytes:
    async with httpx.AsyncClient() as client:
        response = await client.get(url)
        response.raise_for_status()
        return response.content
"""


def bench(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "bench", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def measure(
    folder: Path, target: str, *words: str, countries: str = "BR,CN,IN"
) -> subprocess.CompletedProcess[str]:
    """Measure a script by its printed config."""
    options = ["--countries", countries, "--latency", "5ms", "--blocks", "1", *words]
    printed = bench(folder, "run", target, *options, "--print-config")
    assert printed.returncode == 0, printed.stderr
    (folder / "printed.yaml").write_text(printed.stdout)
    return bench(folder, "run", "printed.yaml", "--quiet", "--out", "run")


def trials(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the trials of the run by strategy, client and workers."""
    stored = json.loads((folder / "run" / "run.json").read_text("utf-8"))
    return {trial["case"].rpartition("/")[0]: trial for trial in stored["trials"]}


def write(folder: Path, **files: str) -> None:
    """Write Python files."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)


@pytest.mark.long
def test_strategy_is_measured_beside_three_references_and_its_config_is_stored(tmp_path: Path) -> None:
    """The run can be resumed by the words that it prints."""
    write(tmp_path, mine=STRATEGY)
    options = ["--countries", "BR,CN", "--latency", "5ms", "--workers", "2"]
    ended = bench(tmp_path, "run", "mine.py", *options, "--blocks", "1", "--quiet", "--out", "run")
    assert ended.returncode == 0, ended.stderr
    stored = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert {case["strategy"] for case in stored["cases"]} == {
        "sequential", "threadpool_map", "asyncio_gather", "mine",
    }  # fmt: skip
    assert stored["config"]["source"]["strategies"][-1] == "mine.py"
    assert stored["config"]["source"]["countries"] == ["BR", "CN"]
    with (tmp_path / "run" / "journal.jsonl").open(encoding="utf-8") as journal:
        command = json.loads(journal.readline())["run"]["command"]
    assert command[:2] == ["run", "CONFIG"]
    assert {(name, value) for name, value in zip(command[2::2], command[3::2], strict=True)} == {
        ("--blocks", "1"), ("--workers", "2"), ("--latency", "5ms"), ("--countries", "BR,CN"),
    }  # fmt: skip
    again = bench(tmp_path, "run", "mine.py", *command[2:], "--resume", "run")
    assert "is complete: there is nothing to resume" in again.stderr
    other = bench(tmp_path, "run", "mine.py", "--blocks", "1", "--resume", "run")
    assert "cannot be resumed" in other.stderr


@pytest.mark.long
@pytest.mark.parametrize("text", [CODES, CODES_ASYNC])
def test_function_of_codes_is_led_to_the_server_by_its_constants(tmp_path: Path, text: str) -> None:
    """Its files are verified, and nothing is claimed of the times of its fetches."""
    write(tmp_path, common=COMMON, mine=text)
    ended = measure(tmp_path, "mine.py")
    assert ended.returncode == 0, ended.stdout
    assert "note: In mine, BASE_URL is pointed at the flag server, and DEST_DIR is" in ended.stderr
    assert [*sorted(trials(tmp_path))] == sorted(
        ["sequential/requests/1", "threadpool_map/requests/3", "asyncio_gather/aiohttp/3", "mine/-/3"]
    )
    trial = trials(tmp_path)["mine/-/3"]
    for timed in trial["rounds"]:
        assert (timed["fetches"], timed["verified"], timed["server"]["requests"]) == ({"ok": 3}, 3, 3)
        assert (timed["phases"], timed["gap"]) == (None, None)
    assert not (tmp_path / "downloaded").exists()
    full = bench(tmp_path, "show", "run", "--full")
    assert full.returncode == 0, full.stderr
    assert "never read job.workers" not in ended.stdout + full.stdout
    for output in (ended.stdout, full.stdout):
        assert output.count("mine has no parameter for workers") == 1
        assert " own " in output


@pytest.mark.long
def test_coroutine_is_run_in_an_event_loop(tmp_path: Path) -> None:
    """In each form."""
    write(tmp_path, common=COMMON, job=COROUTINE_OF_JOB, codes=COROUTINE_OF_CODES)
    (tmp_path / "printed.yaml").write_text(
        "strategies: [{name: job.py, clients: [aiohttp]}, 'codes.py:fetch_all', 'codes.py']\n"
        "countries: [BR, CN, IN]\nworkers: 2\nblocks: 1\nprofile: {latency: 5ms}\n"
    )
    ended = bench(tmp_path, "run", "printed.yaml", "--quiet", "--out", "run")
    found = {case: (trial["outcome"], trial["detail"]) for case, trial in trials(tmp_path).items()}
    assert ended.returncode == 0, found
    assert set(found) == {"job/aiohttp/2", "codes.fetch_all/-/3", "codes/-/2"}


@pytest.mark.long
def test_whatever_is_derived_from_a_constant_is_led_to_the_server(tmp_path: Path) -> None:
    """In every process, forked or not, and in modules that are imported late."""
    write(tmp_path, mine=DERIVED, late=LATE, common=COMMON)
    (tmp_path / "printed.yaml").write_text(
        "strategies: [mine.py, 'mine.py:spawned', 'mine.py:neighbour', 'mine.py:kept_pool']\n"
        "countries: [BR, CN, IN, US, ID, PK, NG]\nblocks: 1\nprofile: {latency: 5ms}\n"
    )
    ended = bench(tmp_path, "run", "printed.yaml", "--quiet", "--out", "run")
    found = {case: (trial["outcome"], trial["detail"]) for case, trial in trials(tmp_path).items()}
    assert ended.returncode == 0, found
    assert not (tmp_path / "downloaded").exists()


@pytest.mark.long
def test_function_with_the_chapters_four_parameters_gets_address_and_workers(tmp_path: Path) -> None:
    """A code without a flag is not found, as planned."""
    write(tmp_path, common=COMMON, mine=ADDRESS)
    ended = measure(tmp_path, "mine.py", "--workers", "1,2", countries="BR,CN,QQ")
    assert ended.returncode == 0, ended.stdout
    for workers in (1, 2):
        for timed in trials(tmp_path)[f"mine/-/{workers}"]["rounds"]:
            assert timed["fetches"] == {"ok": 2, "not_found": 1}
            assert timed["server"]["max_in_flight"] <= workers


def strategies_for(face: str) -> set[str]:
    """Return the names of the shipped strategies for threads or for event loops that run here.

    Those that need more of a client than to get a URL are left out: of a function nothing more is known. So
    are those for a cluster, whose machines have no such function.
    """
    here = (
        each
        for each in find_strategies().values()
        if not (each.unavailable or each.needs or each.uses_cluster)
    )
    found = {each.name for each in here if each.face == face}
    assert len(found) >= 4
    return found


@pytest.mark.long
@pytest.mark.parametrize(("text", "name"), [(GET, "get"), (GET_RESPONSE, "fetch")])
def test_function_of_one_url_is_driven_by_each_strategy_for_threads(
    tmp_path: Path, text: str, name: str
) -> None:
    write(tmp_path, mine=text)
    ended = measure(tmp_path, "mine.py", countries="BR,CN,QQ")
    assert ended.returncode == 0, ended.stdout
    own = {case.partition("/")[0] for case in trials(tmp_path) if f"/mine.{name}/" in case}
    assert own == strategies_for("sync")
    assert {case.rpartition("/")[0] for case in trials(tmp_path)} >= set(REFERENCES)


@pytest.mark.long
def test_coroutine_of_one_url_is_driven_by_each_strategy_for_event_loops(tmp_path: Path) -> None:
    write(tmp_path, mine=GET_ASYNC)
    ended = measure(tmp_path, "mine.py", countries="BR,CN,QQ")
    assert ended.returncode == 0, ended.stdout
    own = {case.partition("/")[0] for case in trials(tmp_path) if "/mine.fetch/" in case}
    assert own == strategies_for("async")


@pytest.mark.long
def test_function_of_a_module_is_imported_with_its_package(tmp_path: Path) -> None:
    """Its imports may be relative."""
    package = tmp_path / "src" / "my_package"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "inner" / "__init__.py").write_text("")
    (package / "common.py").write_text(COMMON)
    (package / "inner" / "module.py").write_text(
        "from ..common import get_flag, save_flag\n\n"
        "def fetch_all(countries: list[str]) -> None:\n"
        "    for code in countries:\n        save_flag(get_flag(code), code + '.gif')\n"
    )
    ended = measure(tmp_path, "my_package.inner.module:fetch_all")
    assert ended.returncode == 0, ended.stdout
    assert trials(tmp_path)["module.fetch_all/-/3"]["outcome"] == "ok"


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def download_many(cc_list): pass\n", "no request reached the flag server: let download_many take"),
        (
            (
                "def download_many(cc_list, base_url):\n    import requests\n"
                "    for cc in cc_list:\n        requests.get(f'{base_url}/{cc}/{cc}.gif'.lower())\n"
            ),
            "3 flags: error: not saved in the folder of the round",
        ),
        (
            (
                "from pathlib import Path\n"
                "def download_many(cc_list, base_url):\n    import requests\n"
                "    for cc in cc_list:\n        requests.get(f'{base_url}/{cc}/{cc}.gif'.lower())\n"
                "        Path(cc + '.gif').write_bytes(b'GIF')\n"
            ),
            "br.gif differs at byte 3",
        ),
        ("def get(url): return None\n", "mine.py:get returned NoneType; return the body as bytes"),
        ("def get(url): return b'GIF'\n", "br.gif differs at byte 3"),
    ],
)
def test_failed_check_names_the_problem(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, mine=text)
    ended = measure(tmp_path, "mine.py")
    assert ended.returncode == 3
    found = [trial["detail"] for case, trial in trials(tmp_path).items() if "mine" in case]
    assert any(message in detail for detail in found), found


@pytest.mark.long
def test_new_script_and_new_config_pass_as_they_are_written(tmp_path: Path) -> None:
    """The commands that both print are the next to type."""
    written = bench(tmp_path, "new", "my_download.py")
    assert (written.returncode, written.stderr) == (0, "wrote my_download.py; next:\n")
    assert bench(tmp_path, "init").returncode == 0
    assert bench(tmp_path, "check", "flagbench.yaml").returncode == 0
    assert written.stdout.splitlines()[-1].endswith(" run my_download.py")
    ended = bench(tmp_path, "run", "my_download.py", "--countries", "BR,CN", "--blocks", "1", "--out", "run")
    assert ended.returncode == 0, ended.stderr
    assert {trial["outcome"] for trial in trials(tmp_path).values()} == {"ok"}
    assert "my_download/requests/2" in trials(tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "function"), [(GET, "get"), (CODES.replace("from common", "from .common"), "download_many")]
)
def test_installed_module_of_the_same_name_is_not_measured_instead(
    tmp_path: Path, text: str, function: str
) -> None:
    """The standard library comes first on the import path."""
    (tmp_path / "colorsys.py").write_text(text)
    ended = measure(tmp_path, f"colorsys:{function}")
    assert ended.returncode == 3
    own = [trial for case, trial in trials(tmp_path).items() if "colorsys" in case]
    assert own
    for trial in own:
        assert "colorsys" in trial["detail"]
        assert trial["outcome"] == "error"


@pytest.mark.long
def test_function_that_saves_other_files_is_told_where_the_flags_are(tmp_path: Path) -> None:
    write(tmp_path, mine=CODES.replace(".gif", ".png"), common=COMMON)
    assert measure(tmp_path, "mine.py").returncode == 3
    detail = trials(tmp_path)["mine/-/3"]["detail"]
    assert "no flag was saved: get each from {address}/br/br.gif, and save it as br.gif or BR.gif" in detail


@pytest.mark.long
def test_script_is_refused_by_commands_that_need_a_config(tmp_path: Path) -> None:
    write(tmp_path, mine=STRATEGY)
    for words in (["noise"], ["ab", f"path={ROOT}", f"path={ROOT}"], ["gate"]):
        ended = bench(tmp_path, *words, "mine.py")
        assert ended.returncode == 2
        assert "mine.py is a script" in ended.stderr, ended.stderr
    assert "did you mean 'mine.py'?" in bench(tmp_path, "run", "mine").stderr
    (tmp_path / "mine.py").write_text("def main(): ...\n")
    refused = bench(tmp_path, "run", "mine.py")
    assert refused.returncode == 2
    assert "\n  async def get(url: str) -> bytes " in refused.stderr
    assert "�" not in refused.stderr


@pytest.mark.long
def test_client_is_not_taken_from_a_strategy_file_of_the_same_name(tmp_path: Path) -> None:
    for folder, text in (("p", STRATEGY + GET), ("q", GET)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.py").write_text(text)
    (tmp_path / "printed.yaml").write_text(
        "strategies: [{name: p/x.py, clients: ['q/x.py:get']}]\ncountries: [BR]\nblocks: 1\n"
    )
    assert bench(tmp_path, "run", "printed.yaml", "--quiet", "--out", "run").returncode == 3
    (trial,) = trials(tmp_path).values()
    assert "was imported from" in trial["detail"]
