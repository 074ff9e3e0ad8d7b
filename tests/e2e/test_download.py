"""Use ``download`` as a reader of the chapter would."""

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


@pytest.mark.long
def test_twenty_flags_are_printed_and_saved_as_served(tmp_path: Path) -> None:
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


@pytest.mark.long
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
def test_countries_are_selected_as_in_the_chapter(tmp_path: Path, words: list[str], counts: str) -> None:
    assert counts in call(tmp_path, "download", *words).stdout.splitlines()


@pytest.mark.long
@pytest.mark.parametrize("strategy", ["threadpool_as_completed", "asyncio_as_completed"])
def test_verbose_prints_each_future_when_scheduled_and_when_done(tmp_path: Path, strategy: str) -> None:
    client = "aiohttp" if strategy.startswith("asyncio") else "requests"
    result = call(tmp_path, "download", "BR", "CN", "-v", "--strategy", strategy, "--client", client)
    for code in ("BR", "CN"):
        assert re.search(rf"^Scheduled for {code}: <(Future|Task) ", result.stdout, re.MULTILINE)
        assert re.search(rf"^Done {code}: <(Future|Task).*(finished|done)", result.stdout, re.MULTILINE)
        assert f"{code}: ok" in result.stdout.splitlines()


@pytest.mark.long
def test_strategy_module_runs_as_a_program_with_the_same_options(tmp_path: Path) -> None:
    result = call(tmp_path, "BR", "--dest", "here", module="strategies.sequential")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "here" / "br.gif").read_bytes() == all_flags()["BR"]


@pytest.mark.long
def test_ctrl_c_prints_counts_keeps_files_and_exits_with_130(tmp_path: Path) -> None:
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


@pytest.mark.long
def test_strategy_can_import_its_project_in_download_and_run(tmp_path: Path) -> None:
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
        "{countries: [BR, CN], strategies: [mine.py], clients: urllib3, blocks: 1}\n",
        encoding="utf-8",
    )
    ran = call(tmp_path, "run", str(config), "--quiet", "--out", "run")
    assert ran.returncode == 0, ran.stderr


@pytest.mark.long
def test_option_that_a_strategy_never_reads_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "OPTIONS = ('fast',)\n\n\ndef download_many(job):\n    with job.client() as download_one:\n"
        "        return [download_one(country) for country in job.countries]\n"
    )
    result = call(tmp_path, "download", "BR", "--strategy", "mine.py+fast")
    assert result.returncode == 3
    assert "mine.py never read job.option, and its case is planned with fast" in result.stderr
    assert call(tmp_path, "download", "BR", "--strategy", "mine.py").returncode == 0
    assert {each.name for each in (tmp_path / "downloaded").iterdir()} == {"br.gif"}


@pytest.mark.long
def test_flags_that_a_strategy_saves_by_itself_are_not_taken_for_downloaded(tmp_path: Path) -> None:
    """It hides from ``download`` what it does, so nothing would be saved, and all be well."""
    (tmp_path / "mine.py").write_text(
        "def download_many(job):\n    with job._replace(watcher=None).client() as download_one:\n"
        "        return [download_one(country) for country in job.countries]\n"
    )
    result = call(tmp_path, "download", "BR", "--strategy", "mine.py")
    assert result.returncode == 3
    assert "mine: missing: 0 of 1 flag seen, and no others are saved" in result.stderr


@pytest.mark.long
def test_flags_of_a_cluster_come_back_and_are_saved(tmp_path: Path) -> None:
    result = call(tmp_path, "download", "BR", "CN", "ZZ", "--strategy", "dask")
    assert result.returncode == 0, result.stderr
    assert "2 flags, 1 not found, 0 errors" in result.stdout.splitlines()
    saved = {file.stem.upper(): file.read_bytes() for file in (tmp_path / "downloaded").iterdir()}
    assert saved == {code: all_flags()[code] for code in ("BR", "CN")}


@pytest.mark.long
def test_lost_flags_are_reported_and_change_the_exit_code(tmp_path: Path) -> None:
    result = call(tmp_path, "download", "BR", "DE", "--strategy", str(ROOT / "tests/strategies/litters.py"))
    assert result.returncode == 3
    assert "litters: unexpected" in result.stderr
    assert {file.name for file in (tmp_path / "downloaded").iterdir()} == {"br.gif", "de.gif"}


def test_unwritable_destination_is_reported_before_any_request(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = call(tmp_path, "download", "BR", "--dest", "file")
    assert result.returncode == 4
    assert "error[environment]: cannot save flags in file: File exists" in result.stderr
    assert result.stdout == ""


@pytest.mark.long
def test_other_files_in_the_destination_are_kept(tmp_path: Path) -> None:
    (tmp_path / "downloaded").mkdir()
    (tmp_path / "downloaded" / "notes.txt").write_text("mine", encoding="utf-8")
    assert call(tmp_path, "download", "BR").returncode == 0
    assert {file.name for file in (tmp_path / "downloaded").iterdir()} == {"br.gif", "notes.txt"}


@pytest.mark.long
def test_error_profile_fails_a_share_of_fetches(tmp_path: Path) -> None:
    result = call(tmp_path, "download", "-s", "ERROR", "BR", "DE", "FR", "IN", "-m", "4")
    found = re.search(r"^(\d) flags?, 0 not found, (\d) errors?$", result.stdout, re.MULTILINE)
    assert found is not None
    assert int(found[1]) + int(found[2]) == 4


def test_countries_and_all_together_are_refused(tmp_path: Path) -> None:
    result = call(tmp_path, "download", "BR", "--all")
    assert result.returncode == 2
    assert "name countries, or --all, or --every" in result.stderr
