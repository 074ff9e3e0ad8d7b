"""Messages name the cause of a failed trial, in the table and in JUnit, on a console of any encoding."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.runs import ROOT, config, document, run

pytestmark = pytest.mark.e2e

GATHERS_ALL = """
import asyncio
from bench.api import Fetch, Job

async def gather(job: Job) -> list[Fetch]:
    async with job.async_client() as download_one:
        return list(await asyncio.gather(*map(download_one, job.countries)))

def download_many(job: Job) -> list[Fetch]:
    return asyncio.run(gather(job)) if job.workers else []
"""
GROUPS = """
import asyncio
from bench.api import Fetch, Job

async def fail(country: str) -> Fetch:
    raise RuntimeError(f"no flag of {country}")

async def group(job: Job, depth: int) -> None:
    async with asyncio.TaskGroup() as tasks:
        if depth:
            tasks.create_task(group(job, depth - 1))
        else:
            for country in job.countries:
                tasks.create_task(fail(country))

def download_many(job: Job) -> list[Fetch]:
    asyncio.run(group(job, 2))
    return []
"""


def detail_of(path: Path) -> str:
    """Return the detail of the only trial of a run."""
    (trial,) = document(path)["trials"]
    return str(trial["detail"])


def shown(words: Sequence[str], environment: Mapping[str, str]) -> tuple[bytes, bytes]:
    """Return what a command writes to stdout and to stderr."""
    ended = subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        timeout=60,
    )
    return ended.stdout, ended.stderr


@pytest.mark.long
@pytest.mark.parametrize("client", ["httpx", "aiohttp"])
def test_time_outs_in_the_pool_of_a_client_are_told_from_those_at_the_server(
    tmp_path: Path, client: str
) -> None:
    (tmp_path / "gathers_all.py").write_text(GATHERS_ALL)
    changes = {"countries": "pop20", "workers": 1, "clients": [client], "request_timeout": "600ms"}
    path = config(tmp_path, ["gathers_all.py"], profile={"latency": "200ms"}, blocks=1, **changes)
    run(path)
    detail = detail_of(path)
    assert " timed out after 0.6" in detail
    assert " of them never reached the server: they waited in the client's own pool (" in detail


@pytest.mark.long
def test_trial_past_its_deadline_says_how_far_it_got(tmp_path: Path) -> None:
    changes = {"countries": "pop20", "workers": 1, "deadline": "3s", "rounds": 9}
    path = config(tmp_path, ["sequential"], profile={"latency": "50ms"}, blocks=1, **changes)
    run(path)
    detail = detail_of(path)
    assert detail.startswith("not done after 3 s (`deadline`), in ")
    assert " of 20 requests answered" in detail


@pytest.mark.long
def test_group_of_exceptions_is_named_by_its_first_one_in_table_and_junit(tmp_path: Path) -> None:
    (tmp_path / "groups.py").write_text(GROUPS)
    path = config(tmp_path, ["groups.py"], blocks=1)
    ended = run(path)
    line = GROUPS.splitlines().index('    raise RuntimeError(f"no flag of {country}")') + 1
    message = f"RuntimeError: no flag of BR (groups.py:{line}), 1 of 3 in a TaskGroup"
    assert detail_of(path) == message
    assert message in " ".join(ended.stdout.split())
    command = [sys.executable, "-m", "bench", "export", str(path.parent / "run"), "--to", "junit"]
    junit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert message in junit.stdout


@pytest.mark.long
def test_project_in_a_folder_with_a_colon_in_its_name_is_measured(tmp_path: Path) -> None:
    """It is not on an import path; only flagbench itself is."""
    project = tmp_path / "12:30"
    (project / ".git").mkdir(parents=True)
    (project / "neighbour.py").write_text("NUMBER = 1\n")
    (project / "gathers_all.py").write_text(f"import neighbour\n{GATHERS_ALL}")
    path = config(project, ["gathers_all.py"], clients=["httpx"])
    _, text = shown(["run", str(path), "--out", str(tmp_path / "run")], {})
    assert (tmp_path / "run" / "run.json").read_text("utf-8").count('"outcome": "ok"') == 2, text


ASCII = {"PYTHONIOENCODING": "ascii"}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LATIN = {"PYTHONIOENCODING": "iso-8859-1"}


@pytest.mark.long
@pytest.mark.parametrize("environment", [ASCII, C_LOCALE, LATIN], ids=["ascii", "C", "latin-1"])
@pytest.mark.parametrize("command", ["show", "compare"])
def test_tables_on_other_consoles_have_stand_ins_of_the_same_width(
    command: str, environment: Mapping[str, str]
) -> None:
    run_folder = "tests/fixtures/contract/runs/slower"
    full, _ = shown([command, run_folder], {"PYTHONUTF8": "1"})
    text, _ = shown([command, run_folder], environment)
    assert b"\\" not in text
    assert environment is LATIN or text.isascii()
    lines, expected = text.decode("iso-8859-1").splitlines(), full.decode().splitlines()
    assert [len(line) for line in lines] == [len(line) for line in expected]


@pytest.mark.parametrize(
    "words",
    [
        *(["show", "–×≈"], ["–×≈"], ["check", "–×≈.yaml"]),
        *(
            pytest.param(["run", *each], marks=pytest.mark.long)
            for each in (["x", "--blocks", "–×≈"], ["--–×≈"])
        ),
    ],
)
def test_errors_on_an_ascii_console_have_stand_ins(words: Sequence[str]) -> None:
    _, text = shown(words, ASCII)
    assert text.isascii()
    assert b"-x~" in text
