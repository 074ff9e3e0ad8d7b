"""``download`` as the chapter's reader uses it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.model.flags import all_flags

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


def call(folder: Path, *words: str, module: str = "bench") -> subprocess.CompletedProcess[str]:
    """Call a module from another folder, with the project on its path."""
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_twenty_flags_arrive_and_are_saved_as_served(tmp_path: Path) -> None:
    """Each code is printed as it arrives; counts and the elapsed time come last."""
    result = call(tmp_path, "download")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[1] == "Searching for 20 flags: from BD to VN"
    assert len(lines[3].split()) == 20
    assert "20 flags, 0 not found, 0 errors" in lines
    assert re.fullmatch(r"20 flags downloaded in \d+\.\d\ds", lines[-1])
    saved = {file.stem.upper(): file.read_bytes() for file in (tmp_path / "downloaded").iterdir()}
    assert saved == {code: all_flags()[code] for code in saved}
    assert len(saved) == 20


@pytest.mark.parametrize(
    ("words", "counts"),
    [
        (["BR", "cn", "ZZ"], "2 flags, 1 not found, 0 errors"),
        (["B", "-l", "5"], "4 flags, 1 not found, 0 errors"),  # BA BB BC BD BE
        (["-a", "-l", "30"], "30 flags, 0 not found, 0 errors"),
        (["-e", "-l", "40"], "21 flags, 19 not found, 0 errors"),
        (["BR"], "1 flag, 0 not found, 0 errors"),
    ],
)
def test_countries_are_chosen_as_in_the_chapter(tmp_path: Path, words: list[str], counts: str) -> None:
    """Codes, first letters, all, every, and a limit."""
    assert counts in call(tmp_path, "download", *words).stdout.splitlines()


@pytest.mark.parametrize("strategy", ["threadpool_as_completed", "asyncio_as_completed"])
def test_verbose_shows_each_future_when_scheduled_and_when_done(tmp_path: Path, strategy: str) -> None:
    """As the chapter's demonstration of futures does."""
    client = "aiohttp" if strategy.startswith("asyncio") else "requests"
    result = call(tmp_path, "download", "BR", "CN", "-v", "--strategy", strategy, "--client", client)
    for code in ("BR", "CN"):
        assert re.search(rf"^Scheduled for {code}: <(Future|Task) ", result.stdout, re.MULTILINE)
        assert re.search(rf"^Done {code}: <(Future|Task).*(finished|done)", result.stdout, re.MULTILINE)
        assert f"{code}: ok" in result.stdout.splitlines()


def test_a_strategy_is_a_program_of_its_own(tmp_path: Path) -> None:
    """``python -m strategies.sequential`` takes the same options."""
    result = call(tmp_path, "BR", "--dest", "here", module="strategies.sequential")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "here" / "br.gif").read_bytes() == all_flags()["BR"]


def test_ctrl_c_ends_with_the_counts_so_far(tmp_path: Path) -> None:
    """And with 130; what arrived is saved."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "download", "-s", "delay", "-m", "20"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        first = process.stdout.read(2)
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=10)
    assert process.returncode == 130
    assert re.search(r"^\d+ flags?, 0 not found, 0 errors$", stdout, re.MULTILINE)
    assert (tmp_path / "downloaded" / f"{first.lower()}.gif").exists()


def test_a_strategy_finds_the_project_that_it_belongs_to(tmp_path: Path) -> None:
    """At the top of its git work tree and in ``src``; by ``download`` and by ``run``."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "src" / "inner").mkdir(parents=True)
    (tmp_path / "outer.py").write_text("first = list\n", encoding="utf-8")
    (tmp_path / "src" / "inner" / "__init__.py").write_text(
        "from outer import first\n\n\ndef in_order(get, countries):\n    return first(map(get, countries))\n",
        encoding="utf-8",
    )
    strategy = tmp_path / "benchmarks" / "mine.py"
    strategy.parent.mkdir()
    strategy.write_text(
        '"""Mine."""\n\nfrom bench.api import Fetch, Job\nfrom inner import in_order\n\n\n'
        "def download_many(job: Job) -> list[Fetch]:\n"
        "    with job.client() as download_one:\n"
        "        return in_order(download_one, job.countries)\n",
        encoding="utf-8",
    )
    result = call(tmp_path, "download", "BR", "--strategy", "benchmarks/mine.py", "--client", "urllib3")
    assert "1 flag, 0 not found, 0 errors" in result.stdout, result.stderr
    config = tmp_path / "benchmarks" / "mine.yaml"
    config.write_text(
        "{countries: [BR, CN], strategies: [mine.py], clients: urllib3, blocks: 1, disturbed: keep}\n",
        encoding="utf-8",
    )
    ran = call(tmp_path, "run", str(config), "--quiet", "--out", "run")
    assert ran.returncode == 0, ran.stderr


def test_a_strategy_that_loses_flags_is_told_of(tmp_path: Path) -> None:
    """What is there is saved; the exit code says that something went wrong."""
    result = call(tmp_path, "download", "BR", "DE", "--strategy", str(ROOT / "tests/strategies/litters.py"))
    assert result.returncode == 3
    assert "litters: unexpected" in result.stderr
    assert {file.name for file in (tmp_path / "downloaded").iterdir()} == {"br.gif", "de.gif"}


def test_a_destination_that_cannot_be_had_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    """It is the environment's fault; nothing is downloaded."""
    (tmp_path / "file").touch()
    result = call(tmp_path, "download", "BR", "--dest", "file")
    assert result.returncode == 4
    assert "error[environment]: cannot save flags in file: File exists" in result.stderr
    assert result.stdout == ""


def test_other_files_of_the_destination_stay(tmp_path: Path) -> None:
    """It is the user's folder."""
    (tmp_path / "downloaded").mkdir()
    (tmp_path / "downloaded" / "notes.txt").write_text("mine", encoding="utf-8")
    assert call(tmp_path, "download", "BR").returncode == 0
    assert {file.name for file in (tmp_path / "downloaded").iterdir()} == {"br.gif", "notes.txt"}


def test_the_error_server_answers_with_errors(tmp_path: Path) -> None:
    """A quarter of the fetches in the chapter; never more in flight than asked for."""
    result = call(tmp_path, "download", "-s", "ERROR", "BR", "DE", "FR", "IN", "-m", "4")
    found = re.search(r"^(\d) flags?, 0 not found, (\d) errors?$", result.stdout, re.MULTILINE)
    assert found is not None
    assert int(found[1]) + int(found[2]) == 4


def test_countries_and_all_are_not_asked_for_together(tmp_path: Path) -> None:
    """One of them would be dropped without a word."""
    result = call(tmp_path, "download", "BR", "--all")
    assert result.returncode == 2
    assert "name countries, or --all, or --every" in result.stderr
